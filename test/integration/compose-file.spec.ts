import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { apiVariables } from '../../apps/api/config.js';
import { mountsOf, readComposeFile, root, type ComposeFile, type Service } from '../compose/compose-file.js';
import { complaintsOf } from '../compose/published-schema.js';

let file: ComposeFile;
let services: readonly (readonly [string, Service])[];
beforeAll(async () => {
  file = await readComposeFile();
  services = Object.entries(file.services);
});

const service = (name: string): Service => {
  const found = file.services[name];
  if (found === undefined) throw new Error(`compose.yaml has no ${name}.`);
  return found;
};
const addressOf = (name: string) => {
  const { networks = {} } = service(name);
  return 'edge' in networks ? networks.edge?.ipv4_address : undefined;
};
const apis = ['api-1', 'api-2', 'api-3'];
const isOneOff = ({ restart }: Service) => restart === 'no';
const text = (path: string) => readFile(join(root, 'compose', path), 'utf8');

describe('compose.yaml', () => {
  it('is valid according to the published schema, which detects a mistake', async () => {
    expect(await complaintsOf('compose-spec', file)).toEqual([]);
    const wrong = { ...file, services: { nginx: { ...file.services['nginx'], read_onyl: true } } };
    expect(await complaintsOf('compose-spec', wrong)).not.toEqual([]);
  });

  it('mounts files that exist and volumes that are declared, each of which is used', async () => {
    const sources = services.flatMap(([, each]) => mountsOf(each)).map(({ source }) => source);
    const files = sources.filter((source) => source.startsWith('./'));
    expect(files.length).toBeGreaterThan(5);
    for (const each of files) await access(join(root, each));
    const volumes = sources.filter((source) => !source.startsWith('./'));
    expect([...new Set(volumes)].sort()).toEqual(Object.keys(file.volumes).sort());
  });

  it('starts and configures services with files that their mounts contain', async () => {
    const words = JSON.stringify(services.map(([, each]) => each)).match(/\/etc\/task-api\/[\w.-]+/g) ?? [];
    expect(words.length).toBeGreaterThan(5);
    for (const [name, each] of services) {
      const here = mountsOf(each).find(({ target }) => target === '/etc/task-api');
      for (const path of JSON.stringify(each).match(/\/etc\/task-api\/[\w.-]+/g) ?? []) {
        expect([name, path, here]).toEqual([name, path, expect.anything()]);
        await access(join(root, here?.source ?? '', path.slice('/etc/task-api/'.length)));
      }
    }
  });

  it('sets only variables that the API knows', () => {
    const known = [...Object.keys(apiVariables), 'NODE_OPTIONS'];
    const names = [...apis, 'migrate'].flatMap((name) => Object.keys(service(name).environment ?? {}));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('waits for health where there is a health check, and for completion of services that end', () => {
    const waits = services.flatMap(([, { depends_on = {} }]) => Object.entries(depends_on));
    expect(waits.length).toBeGreaterThan(10);
    for (const [name, { condition }] of waits) {
      const expected = isOneOff(service(name)) ? 'service_completed_successfully' : 'service_healthy';
      expect([name, condition]).toEqual([name, expected]);
      if (!isOneOff(service(name))) expect(service(name).healthcheck).toBeDefined();
    }
  });

  it('publishes NGINX, and Prometheus and Grafana only on this machine', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(published.sort()).toEqual([
      'grafana 127.0.0.1:3000:3000',
      'nginx 8080:8080',
      'prometheus 127.0.0.1:9090:9090',
    ]);
  });

  it('gives no service more rights than it needs, and limits each one', () => {
    for (const [, each] of services) expectConfined(each);
  });

  it('contains no secret', () => {
    const telling = services
      .flatMap(([, { environment = {} }]) => Object.entries(environment))
      .filter(([name]) => /PASS|SECRET|TOKEN|KEY|_URL$/.test(name));
    expect(telling.length).toBeGreaterThan(0);
    for (const [name, value] of telling)
      expect([name, value]).toEqual([name, expect.stringMatching(noSecret)]);
  });
});

/** A path, a URL without an account, or empty. */
const noSecret = /^(\/[\w/.-]+|http:\/\/[\w.:-]+)?$/;

function expectConfined(each: Service): void {
  expect(each).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  });
  expect(each.cap_add).toBeUndefined();
  expect(each.deploy?.resources.limits).toMatchObject({
    memory: expect.any(String),
    pids: expect.any(Number),
  });
  if (isOneOff(each)) return;
  expect([each.restart, each.healthcheck, each.stop_grace_period]).toEqual([
    'unless-stopped',
    expect.anything(),
    expect.any(String),
  ]);
}

describe('the parts of compose.yaml', () => {
  it('agree on addresses: NGINX knows each process, and the processes trust only NGINX', async () => {
    expect(service('nginx').environment?.['API_SERVERS']?.split(' ')).toEqual(
      apis.map((name) => `${addressOf(name) ?? ''}:5000`),
    );
    for (const name of apis) expect(service(name).environment?.['TRUSTED_PROXIES']).toBe(addressOf('nginx'));
    const { scrape_configs: jobs } = parse(await text('prometheus/prometheus.yml')) as Prometheus;
    const targets = jobs.find(({ job_name: name }) => name === 'task-api')?.static_configs[0]?.targets;
    expect(targets).toEqual(apis.map((name) => `${name}:5001`));
  });

  it('agree on times and sizes', async () => {
    const nginx = await text('nginx/nginx.conf');
    const seconds = (name: string, place = nginx) =>
      Number(new RegExp(`^ *${name} (\\d+)s;`, 'm').exec(place)?.[1]);
    const [handlerMs, requestMs] = [
      apiVariables.HANDLER_TIMEOUT_MS.parse(undefined),
      apiVariables.REQUEST_TIMEOUT_MS.parse(undefined),
    ];
    expect(seconds('proxy_read_timeout') * 1000).toBeGreaterThanOrEqual(handlerMs + 2000);
    expect(seconds('client_header_timeout') * 1000).toBe(requestMs / 2);
    expect(seconds('client_body_timeout') * 1000).toBe(requestMs);
    // The API keeps idle connections for 72 s.
    expect(seconds('keepalive_timeout', /upstream api \{[^}]*\}/.exec(nginx)?.[0])).toBeLessThan(72);
    const grace = Number(/^(\d+)s$/.exec(service('api-1').stop_grace_period ?? '')?.[1]);
    expect(grace * 1000).toBeGreaterThanOrEqual(apiVariables.STOP_TIMEOUT_MS.parse(undefined) + 10_000);
  });

  it('leave spare Postgres connections when each process uses its whole pool', async () => {
    const most = Number(/^max_connections = (\d+)$/m.exec(await text('postgres/postgresql.conf'))?.[1]);
    // Twice as many, because old and new processes overlap in a deployment; plus migrations, the replica and operators.
    const pools = 2 * apis.length * apiVariables.DATABASE_POOL_SIZE.parse(undefined);
    expect(most).toBeGreaterThanOrEqual(pools + 20);
  });
});

describe('Grafana', () => {
  it('finds the dashboards where they are mounted, the overview first', async () => {
    const { providers } = parse(await text('grafana/dashboards/task-api.yaml')) as Providers;
    const mounts = mountsOf(service('grafana'));
    const folder = mounts.find(({ source }) => source === './helm/task-api/files/dashboards')?.target;
    expect(providers.map(({ options }) => options.path)).toEqual([folder]);
    const home = service('grafana').environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'];
    expect(home).toBe(`${folder ?? ''}/overview.json`);
    await access(join(root, 'helm/task-api/files/dashboards/overview.json'));
  });

  it('links a request to its trace, the trace to its log, and back', async () => {
    const example = parse(
      await readFile(join(root, 'monitoring/grafana/datasources.yaml'), 'utf8'),
    ) as DataSources;
    const [prometheus, tempo, loki] = ['prometheus', 'tempo', 'loki'].map(
      (type) => example.datasources.find((each) => each.type === type)?.jsonData,
    );
    // The labels of exemplars, and the structured metadata that config.alloy adds to each line.
    expect(prometheus?.exemplarTraceIdDestinations).toEqual([
      { name: 'trace_id', datasourceUid: 'tempo', urlDisplayLabel: 'Trace' },
    ]);
    expect(tempo?.tracesToLogsV2?.datasourceUid).toBe('loki');
    expect(tempo?.tracesToLogsV2?.query).toContain('| trace_id="$${__trace.traceId}"');
    expect(loki?.derivedFields).toEqual([
      expect.objectContaining({ matcherType: 'label', matcherRegex: 'trace_id', datasourceUid: 'tempo' }),
    ]);
    const uids = example.datasources.map(({ uid }) => uid);
    expect(uids).toEqual(['prometheus', 'tempo', 'loki']);
    const own = parse(await text('grafana/datasources/prometheus.yaml')) as DataSources;
    expect(own.datasources[0]?.jsonData.exemplarTraceIdDestinations?.[0]).toMatchObject({
      name: 'trace_id',
      datasourceUid: 'tempo',
    });
  });
});

interface Providers {
  readonly providers: readonly { readonly options: { readonly path: string } }[];
}

interface DataSources {
  readonly datasources: readonly {
    readonly type: string;
    readonly uid: string;
    readonly jsonData: {
      readonly exemplarTraceIdDestinations?: readonly object[];
      readonly tracesToLogsV2?: { readonly datasourceUid: string; readonly query: string };
      readonly derivedFields?: readonly object[];
    };
  }[];
}

interface Prometheus {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly static_configs: readonly { readonly targets: readonly string[] }[];
  }[];
}
