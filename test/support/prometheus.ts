import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverPorts } from './ports.js';
import { getProgram } from './programs.js';
import { PrometheusClient } from './prometheus-client.js';
import { runServer } from './server-process.js';

export interface ScrapeTarget {
  /** `host:port`. */
  readonly address: string;
  /** Includes `job` and `namespace`. */
  readonly labels: Readonly<Record<string, string>>;
  /** The target's labels win over ours of the same name (`honor_labels`). */
  readonly honorsLabels?: boolean;
  /** The job is still configured but has no targets, as when all pods are gone. */
  readonly isGone?: boolean;
}

export interface PrometheusOptions {
  readonly targets: readonly ScrapeTarget[];
  /** In the form of a rule file. */
  readonly ruleGroups?: readonly object[];
  /** Old and new names of metrics. */
  readonly renamed?: Readonly<Record<string, string>>;
}

export interface PrometheusServer {
  readonly client: PrometheusClient;
  /** Replaces the targets. */
  retarget(targets: readonly ScrapeTarget[]): Promise<void>;
  stop(): Promise<void>;
}

export const scrapeIntervalSeconds = 1;

/** Starts a throw-away Prometheus that scrapes every second and stores exemplars; on Debian as root it is installed. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const program = await getProgram('prometheus');
  const directory = await mkdtemp(join(tmpdir(), 'prometheus-test-'));
  const [port = 0] = await serverPorts(1);
  const file = join(directory, 'prometheus.json');
  // JSON is valid YAML.
  await writeFile(join(directory, 'rules.json'), JSON.stringify({ groups: options.ruleGroups ?? [] }));
  await writeFile(file, JSON.stringify(configuration(options)));
  const client = new PrometheusClient(`http://127.0.0.1:${port}`);
  const server = await runServer({
    program,
    args: [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--web.enable-lifecycle',
      '--log.level=warn',
    ],
    directory,
    isReady: () => client.isReady(),
  });
  return {
    client,
    retarget: async (targets) => {
      await writeFile(file, JSON.stringify(configuration({ ...options, targets })));
      await client.reload();
    },
    stop: () => server.stop(),
  };
}

function configuration({ targets, renamed = {} }: PrometheusOptions): object {
  const interval = `${scrapeIntervalSeconds}s`;
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ['rules.json'],
    scrape_configs: targets.map(({ address, labels, honorsLabels = false, isGone = false }) => ({
      job_name: `${labels['job'] ?? ''} ${address}`,
      honor_labels: honorsLabels,
      static_configs: isGone ? [] : [{ targets: [address], labels }],
      metric_relabel_configs: Object.entries(renamed).map(([from, to]) => ({
        source_labels: ['__name__'],
        regex: from,
        target_label: '__name__',
        replacement: to,
      })),
    })),
  };
}
