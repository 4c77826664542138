import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { msOf } from '../../monitoring/rules/durations.js';
import { ruleGroups, type Rule, type RuleGroup } from '../../monitoring/rules/index.js';
import { getProgram } from '../support/programs.js';

interface AlertCase {
  readonly alertname: string;
  readonly exp_alerts?: readonly unknown[];
}
interface CaseFile {
  readonly tests: readonly { readonly alert_rule_test?: readonly AlertCase[] }[];
}

const root = join(import.meta.dirname, '..', '..');
const caseFolder = join(root, 'monitoring', 'rules', 'tests');
const caseFiles = readdirSync(caseFolder).sort();
const cases = caseFiles
  .map((file) => parse(readFileSync(join(caseFolder, file), 'utf8')) as CaseFile)
  .flatMap(({ tests }) => tests.flatMap((test) => test.alert_rule_test ?? []));

const alertsOf = (groups: readonly RuleGroup[]) =>
  groups.flatMap(({ rules }) =>
    rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }])),
  );
const alerts = alertsOf(ruleGroups());
const names = alerts.map(({ alert }) => alert);

/** Rejects with the program's output if it fails. */
async function run(program: string, debianPackage: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(await getProgram(program, debianPackage), args, {
    timeout: 150_000,
  });
  return stdout;
}
const promtool = (...args: readonly string[]) => run('promtool', 'prometheus', ...args);
const amtool = (...args: readonly string[]) => run('amtool', 'prometheus-alertmanager', ...args);

/** Every duration in a rule: windows, offsets, waiting times. A name such as `rate5m` in an expression is not one. */
const durationsOf = ({ expr, ...rule }: Rule): readonly string[] => [
  ...(expr.match(/(?<![\w.])\d+(?:ms|[smhd])\b/g) ?? []),
  ...(rule.for === undefined ? [] : [rule.for]),
];
const allDurations = (groups: readonly RuleGroup[]): readonly number[] =>
  groups
    .flatMap(({ interval, rules }) => [
      ...(interval === undefined ? [] : [interval]),
      ...rules.flatMap(durationsOf),
    ])
    .map(msOf);

describe('the rules of Prometheus', () => {
  it.each(['monitoring/rules.yaml', 'helm/task-api/files/rules.yaml'])('are valid in %s', async (file) => {
    await expect(promtool('check', 'rules', join(root, file))).resolves.toMatch(
      /SUCCESS: [1-9]\d* rules found/,
    );
  });

  it.each(caseFiles)(
    'give the results that the cases in %s expect',
    async (file) => {
      await expect(promtool('test', 'rules', join(caseFolder, file))).resolves.toContain('SUCCESS');
    },
    180_000,
  );

  it('have unique names', () => {
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(names)('have a case in which %s fires, and one in which it does not', (name) => {
    const own = cases.filter(({ alertname }) => alertname === name);
    expect(own.some(({ exp_alerts = [] }) => exp_alerts.length > 0)).toBe(true);
    expect(own.some(({ exp_alerts = [] }) => exp_alerts.length === 0)).toBe(true);
  });

  it('test only alerts that exist', () => {
    expect(names).toEqual(expect.arrayContaining([...new Set(cases.map(({ alertname }) => alertname))]));
  });

  it.each(alerts)('state for $alert how urgent it is, what it means and what to do', (rule) => {
    const { summary, description, runbook_url, dashboard } = rule.annotations ?? {};
    expect(rule.labels?.['severity']).toMatch(/^(critical|warning)$/);
    expect(summary).toMatch(/\.$/);
    expect(description).toMatch(/[.?]$/);
    expect(dashboard).toMatch(/^task-api-[a-z]+$/);
    expect(runbook_url).toMatch(/^docs\/runbooks\/[a-z-]+\.md$/);
    expect(readFileSync(join(root, runbook_url ?? ''), 'utf8')).toContain(rule.alert);
  });

  it('can be shortened 60 times, every duration of them', async () => {
    const shorter = ruleGroups({ timesShorter: 60 });
    expect(allDurations(shorter)).toEqual(allDurations(ruleGroups()).map((ms) => ms / 60));
    const seconds = (groups: readonly RuleGroup[], pattern: RegExp) =>
      groups.flatMap(({ rules }) => rules.flatMap(({ expr }) => pattern.exec(expr)?.[1] ?? [])).map(Number);
    for (const pattern of [
      /predict_linear\(.*?\], (\d+(?:\.\d+)?)\)/,
      /group_left \(\) (\d+(?:\.\d+)?) \* sum/,
      /<= (\d+(?:\.\d+)?) \* sum/,
    ]) {
      const long = seconds(ruleGroups(), pattern);
      expect(long).toHaveLength(1);
      expect(seconds(shorter, pattern)).toEqual(long.map((each) => each / 60));
    }
    const folder = mkdtempSync(join(tmpdir(), 'task-api-rules-'));
    try {
      writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: shorter }));
      await expect(promtool('check', 'rules', join(folder, 'rules.yaml'))).resolves.toContain('SUCCESS');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the documentation of alerts', () => {
  const page = readFileSync(join(root, 'docs', 'operations', 'alerts.md'), 'utf8');
  const index = readFileSync(join(root, 'docs', 'runbooks', 'README.md'), 'utf8');
  const table = page.slice(page.indexOf('<!-- alerts -->'), page.indexOf('<!-- /alerts -->'));
  const rows = [...table.matchAll(/^\| `(\w+)` \| (\w+) \| [^|]{10,} \| \[.+\]\((.+)\) \|$/gm)];

  it('lists each alert in the order of the rules, with its severity and its runbook', () => {
    expect(rows.map(([, name, severity, runbook]) => ({ name, severity, runbook }))).toEqual(
      alerts.map(({ alert, labels, annotations }) => ({
        name: alert,
        severity: labels?.['severity'],
        runbook: annotations?.['runbook_url']?.replace(/^docs\//, '../'),
      })),
    );
  });

  it('links to each runbook from the index of runbooks', () => {
    for (const file of readdirSync(join(root, 'docs', 'runbooks')))
      if (file !== 'README.md') expect(index).toContain(`(${file})`);
    for (const name of names) expect(index).toContain(`\`${name}\``);
  });

  it('names only runbooks that exist', () => {
    for (const file of readdirSync(join(root, 'docs', 'runbooks'))) {
      const text = readFileSync(join(root, 'docs', 'runbooks', file), 'utf8');
      for (const [, link = ''] of text.matchAll(/\]\(([^)#:]+\.md)(?:#[\w-]+)?\)/g))
        expect({ file, link, isThere: existsSync(join(root, 'docs', 'runbooks', link)) }).toEqual({
          file,
          link,
          isThere: true,
        });
    }
  });
});

describe('the example for Alertmanager', () => {
  const file = join(root, 'monitoring', 'alertmanager', 'alertmanager.yml');

  it('is valid', async () => {
    await expect(amtool('check-config', file)).resolves.toContain('SUCCESS');
  });

  it.each([
    ['critical', 'pages'],
    ['warning', 'tickets'],
  ])('makes %s ones %s', async (severity, receiver) => {
    const route = ['config', 'routes', 'test', `--config.file=${file}`];
    await expect(amtool(...route, 'alertname=TaskApiDown', `severity=${severity}`)).resolves.toBe(
      `${receiver}\n`,
    );
  });

  it('inhibits nothing by alerts that do not exist', () => {
    const { inhibit_rules } = parse(readFileSync(file, 'utf8')) as {
      inhibit_rules: readonly { source_matchers: readonly string[]; target_matchers: readonly string[] }[];
    };
    const named = inhibit_rules
      .flatMap(({ source_matchers, target_matchers }) => [...source_matchers, ...target_matchers])
      .flatMap((matcher) => /^alertname!?="(\w+)"$/.exec(matcher)?.[1] ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(names).toEqual(expect.arrayContaining(named));
  });
});
