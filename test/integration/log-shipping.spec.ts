import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { parse } from 'yaml';
import { startApi, type Api } from '../support/api.js';
import { client } from '../support/client.js';
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.js';
import { waitFor } from '../support/wait.js';

const folder = join(import.meta.dirname, '..', '..', 'monitoring', 'logs');
const read = (name: string) => readFile(join(folder, name), 'utf8');

type Line = Readonly<Record<string, unknown>>;
interface Rename {
  readonly from: string;
  readonly to: string;
}
interface Filebeat {
  readonly processors: readonly {
    readonly rename?: { readonly fields: readonly Rename[] };
    readonly script?: { readonly source: string };
    readonly drop_fields?: { readonly fields: readonly string[] };
  }[];
}
interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
}
interface Template {
  readonly template: { readonly mappings: Mapping };
}

let receiver: OtlpReceiver;
let api: Api;
let line: Line;
let refused: Line;

/** A request with a user and a trace has all members but those of a problem. */
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  api = await startApi({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
  const caller = client(api.url);
  const { accessToken: token } = await caller.registerAndLogin();
  await caller.request('GET', '/v1/users/me', { token, headers: { 'x-request-id': 'ship-me' } });
  await caller.request('GET', '/v1/nothing', { token, headers: { 'x-request-id': 'ship-problem' } });
  line = await waitFor(() => lineOf('ship-me'));
  refused = await waitFor(() => lineOf('ship-problem'));
});
afterAll(async () => {
  await api.stop();
  await receiver.stop();
});

const lineOf = (requestId: string): Line | undefined =>
  api
    .logs()
    .split('\n')
    .filter((each) => each.includes(requestId))
    .map((each) => JSON.parse(each) as Line)
    .at(0);

function typeOf(path: string, mapping: Mapping): string | undefined {
  const [name = '', ...rest] = path.split('.');
  const next = mapping.properties?.[name];
  return next === undefined || rest.length === 0 ? next?.type : typeOf(rest.join('.'), next);
}

describe('the configurations that ship the log', () => {
  it('map each member of a request line to a field of the index template', async () => {
    const { processors } = parse(await read('filebeat.yml')) as Filebeat;
    const { template } = JSON.parse(await read('index-template.json')) as Template;
    const renames = new Map(
      processors.flatMap(({ rename }) => rename?.fields ?? []).map(({ from, to }) => [from, to]),
    );
    const dropped = processors.flatMap(({ drop_fields }) => drop_fields?.fields ?? []);
    expect(Object.keys(line)).toEqual(expect.arrayContaining(['trace_id', 'span_id', 'user_id', 'outcome']));
    expect(refused).toMatchObject({ outcome: 'client_error', code: 'not_found' });
    const lost = Object.keys({ ...line, ...refused }).filter(
      (name) => !renames.has(`task_api.${name}`) && !dropped.includes(`task_api.${name}`),
    );
    expect(lost).toEqual([]);
    const unmapped = [...renames.values()].filter(
      (to) => !dropped.includes(to) && typeOf(to, template.mappings) === undefined,
    );
    expect(unmapped).toEqual([]);
  });

  it('map every outcome, and convert durations to nanoseconds', async () => {
    const { processors } = parse(await read('filebeat.yml')) as Filebeat;
    const source = processors.find(({ script }) => script !== undefined)?.script?.source ?? '';
    const run = (outcome: unknown, duration: unknown): Line => {
      const fields: Record<string, unknown> = { 'labels.outcome': outcome, 'labels.duration_ms': duration };
      const event = {
        Get: (name: string) => fields[name],
        Put: (name: string, value: unknown) => (fields[name] = value),
      };
      // Filebeat's JavaScript engine has no globals either.
      runInNewContext(`${source}; process(event)`, { event }, { timeout: 1000 });
      return fields;
    };
    expect(run(line['outcome'], line['duration_ms'])).toMatchObject({
      'event.outcome': 'success',
      'event.duration': Math.round(Number(line['duration_ms']) * 1e6),
    });
    expect(run('client_error', 1.5)).toMatchObject({
      'event.outcome': 'failure',
      'event.duration': 1_500_000,
    });
    expect(run('server_error', 0)['event.outcome']).toBe('failure');
    expect(run('aborted', 0)['event.outcome']).toBe('unknown');
  });

  it('find every member that Loki is configured to extract, and turn only those with few values into labels', async () => {
    const config = await read('config.alloy');
    const expressions = /expressions = \{([^}]+)\}/.exec(config)?.[1] ?? '';
    const names = [...expressions.matchAll(/= "(\w+)"/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !(name in line))).toEqual([]);
    const labels = /stage\.labels \{\s*values = \{([^}]+)\}/.exec(config)?.[1]?.trim();
    expect(labels).toBe('level = ""');
  });
});
