import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { scenarios } from '../../load/scenarios/scenarios.js';
import { manifests, refusal } from './chart.js';
import { ofKind, podsOf, theOne } from './manifest.js';

const folder = 'load/k6';
const files = ['ci/load-test-values.yaml'];
const jobOf = (set: Record<string, unknown> = {}) =>
  ofKind(manifests({ files, set }), 'Job').find(({ metadata }) => metadata.name.includes('-load-test-'));

describe('the load test', () => {
  it('does not exist unless it is enabled', () => {
    expect(JSON.stringify(manifests())).not.toContain('load-test');
  });

  it('has the scripts of load/k6, each unchanged', () => {
    const { data = {} } = theOne(manifests({ files }), 'ConfigMap', '-load-test');
    const scripts = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
    expect(data).toEqual(Object.fromEntries(scripts));
  });

  it.each(scenarios.map(({ name }) => name))('runs the scenario %s', (scenario) => {
    const [pod] = podsOf([jobOf({ 'loadTest.scenario': scenario })].filter((job) => job !== undefined));
    expect(pod?.spec.containers[0]?.args).toContain(`/scripts/${scenario}.js`);
    expect(readdirSync(folder)).toContain(`${scenario}.js`);
  });

  it('knows no scenario without a script', () => {
    const message = refusal({ set: { 'loadTest.scenario': 'unknown' } });
    for (const { name } of scenarios) expect(message).toContain(`'${name}'`);
    expect(
      message.match(/'[a-z-]+'/g)?.filter((name) => readdirSync(folder).includes(`${name.slice(1, -1)}.js`)),
    ).toHaveLength(scenarios.length);
  });

  it('prepares the users, unless they exist already', () => {
    const namesOf = (set: Record<string, unknown>) => {
      const [pod] = podsOf([jobOf(set)].filter((job) => job !== undefined));
      return pod?.spec.initContainers?.map(({ name }) => name);
    };
    expect(namesOf({})).toEqual(['wait-for-schema', 'seed', 'log-in']);
    expect(namesOf({ 'loadTest.seed': false })).toEqual(['wait-for-schema', 'log-in']);
  });

  it('is a new Job for other values, and the same Job for the same values', () => {
    const name = jobOf()?.metadata.name;
    expect(jobOf()?.metadata.name).toBe(name);
    expect(jobOf({ 'loadTest.variables.RATE': 200 })?.metadata.name).not.toBe(name);
  });

  it('reaches the API, also where only some peers may', () => {
    const { spec } = theOne(manifests({ files }), 'NetworkPolicy', 'task-api-api');
    const peers = JSON.stringify(spec?.ingress?.[0]?.from);
    expect(peers).toContain('"app.kubernetes.io/component":"load-test"');
  });
});
