import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scenarios } from '../../load/scenarios/scenarios.js';
import { openService, type Service } from '../../load/scenarios/service.js';
import { parseOptions } from '../../load/scenarios/options.js';
import { objectives } from '../../monitoring/rules/objectives.js';
import { latencyBound } from '../../monitoring/rules/traffic.js';

const execute = promisify(execFile);

interface Inspected {
  readonly scenarios: Readonly<Record<string, { readonly executor: string }>>;
  readonly thresholds: Readonly<Record<string, readonly unknown[]>>;
}

/** Options as k6 reads them; it fails if the script can't be parsed or an option is invalid. */
function inspect(name: string): Inspected {
  const args = ['inspect', '--execution-requirements', `load/k6/${name}.js`];
  return JSON.parse(execFileSync('k6', args, { encoding: 'utf8' })) as Inspected;
}

const maxOf = (thresholds: Inspected['thresholds'], metric: string): number =>
  Number(/^rate<=([\d.]+)$/.exec(String(thresholds[`${metric}{scenario:average}`]?.[0]))?.[1]);

describe.each(scenarios.map(({ name }) => name))('the scenario %s', (name) => {
  it('is one that k6 accepts, in the open model apart from the logins', () => {
    const executors = Object.entries(inspect(name).scenarios)
      .filter(([scenario]) => scenario !== 'logins')
      .map(([, { executor }]) => executor);
    expect(executors.length).toBeGreaterThan(0);
    for (const executor of executors) expect(executor).toMatch(/-arrival-rate$/);
  });
});

it('the thresholds are the objectives of the monitoring', async () => {
  const { thresholds } = inspect('average');
  const budget = (name: string): number =>
    Number(objectives.find((objective) => objective.name === name)?.budget);
  expect(maxOf(thresholds, 'server_errors')).toBe(budget('availability'));
  expect(maxOf(thresholds, 'slow_calls')).toBe(budget('latency'));
  const script = await readFile('load/k6/objectives.js', 'utf8');
  expect(script).toContain(`slowMs = ${Number(latencyBound) * 1000};`);
});

describe('a run against the API', () => {
  const options = parseOptions(['smoke', '--users', '5']);
  let service: Service;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'load-test-'));
    service = await openService(options);
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const k6 = (script: string, variables: Readonly<Record<string, string>>) =>
    execute('k6', ['run', '--quiet', '--no-usage-report', '--address', '', `load/k6/${script}.js`], {
      env: { ...process.env, BASE_URL: service.url, SUMMARY_DIR: folder, ...variables },
    }).then(
      () => 0,
      (error: unknown) => (error as { code: number }).code,
    );

  it('passes, and writes its summary as Markdown and HTML', async () => {
    expect(await k6('smoke', { DURATION: '5s', USERS: '5' })).toBe(0);
    expect(await readFile(join(folder, 'smoke.md'), 'utf8')).toContain('# smoke: passed');
    const html = await readFile(join(folder, 'smoke.html'), 'utf8');
    expect(html).toContain('<h1 class="passed">smoke: passed</h1>');
    expect(html).toMatch(/<td>smoke<\/td><td>[\d.]+<\/td>/);
  });

  it('fails if the API is not there', async () => {
    const file = join(folder, 'users.json');
    await execute(process.execPath, ['load/k6/log-in.mjs'], {
      env: { ...process.env, BASE_URL: service.url, USERS: '2', USERS_FILE: file },
    });
    const nowhere = { BASE_URL: 'http://127.0.0.1:9', USERS_FILE: file, DURATION: '2s' };
    expect(await k6('smoke', nowhere)).toBe(99);
    expect(await readFile(join(folder, 'smoke.md'), 'utf8')).toContain('# smoke: failed');
  });
});
