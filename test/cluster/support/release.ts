import { join } from 'node:path';
import { client, type Client } from '../../support/client.js';
import { run } from './command.js';
import type { Namespace } from './kube.js';

/** The chart's folder. */
export const chart = join(import.meta.dirname, '..', '..', '..', 'helm', 'task-api');

export type Helm = 'helm' | 'helm4';
type Values = Readonly<Record<string, unknown>>;

export interface ReleaseOptions {
  /** Default: Helm 3. */
  readonly helm?: Helm;
  /** Default: the chart of this project. */
  readonly from?: string;
  readonly values?: Values;
  readonly flags?: readonly string[];
}

/** The limit of a free user is too low for a load test; all other limits keep their defaults. */
export const forLoad = {
  config: { RATE_LIMIT_FREE_POINTS: '1000000', RATE_LIMIT_CREDENTIALS_POINTS: '10000' },
} as const;

/** A release `task-api` in a namespace, and access to its API. */
export class Release {
  static readonly fullname = 'task-api';

  readonly namespace: Namespace;

  constructor(namespace: Namespace) {
    this.namespace = namespace;
  }

  install(options: ReleaseOptions = {}): Promise<string> {
    return this.helm('install', options);
  }

  upgrade(options: ReleaseOptions = {}): Promise<string> {
    return this.helm('upgrade', options);
  }

  async rollback(helm: Helm = 'helm'): Promise<void> {
    await this.run(helm, ['rollback', Release.fullname, ...waits]);
  }

  async uninstall(): Promise<void> {
    await this.run('helm', ['uninstall', Release.fullname, '--wait', '--timeout', '4m']);
  }

  /** Runs the chart's own tests. @throws Error with their logs if one fails. */
  async test(): Promise<string> {
    try {
      return await this.run('helm', ['test', Release.fullname, '--timeout', '4m', '--logs']);
    } catch (error) {
      const selector = 'app.kubernetes.io/component=test';
      const logs = await this.namespace.kubectl([
        'logs',
        '--selector',
        selector,
        '--all-containers',
        '--tail=50',
      ]);
      throw new Error(logs, { cause: error });
    }
  }

  /** URL of a Service. The tests must run inside the cluster's network to reach it. */
  async addressOf(service: string): Promise<string> {
    const { spec } = await this.namespace.get('service', service);
    return spec.clusterIP ?? '';
  }

  async url(): Promise<string> {
    return `http://${await this.addressOf(Release.fullname)}`;
  }

  async client(): Promise<Client> {
    return client(await this.url());
  }

  private helm(verb: 'install' | 'upgrade', options: ReleaseOptions): Promise<string> {
    const { helm = 'helm', from = chart, values = {}, flags = [] } = options;
    const args = [verb, Release.fullname, from, '--values', '-', ...waits, ...flags];
    return this.run(helm, args, JSON.stringify(values));
  }

  private run(helm: Helm, args: readonly string[], input = ''): Promise<string> {
    return run(helm, [...args, '--namespace', this.namespace.name], { input, timeoutMs: 600_000 });
  }
}

const waits = ['--wait', '--wait-for-jobs', '--timeout', '8m'] as const;
