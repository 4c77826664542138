import { parseArgs } from 'node:util';
import { scenarios, type Scenario } from './scenarios.js';

export interface Options {
  readonly scenario: Scenario;
  /** An API that runs already; null: one is started. */
  readonly url: string | null;
  readonly users: number;
  readonly processes: number;
  /** Folder of the summary; null: a new one. */
  readonly out: string | null;
  /** Variables of the script, such as RATE. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The sentence tells the user what to do. */
export class UsageError extends Error {}

const known = {
  url: { type: 'string' },
  users: { type: 'string' },
  processes: { type: 'string' },
  rate: { type: 'string' },
  duration: { type: 'string' },
  out: { type: 'string' },
  env: { type: 'string', multiple: true, default: [] as string[] },
} as const;

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [name, ...rest] = positionals;
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined || rest.length > 0) throw new UsageError(usage());
  const { rate, duration } = values;
  return {
    scenario,
    url: values.url?.replace(/\/$/, '') ?? null,
    users: count('users', values.users, scenario.users),
    processes: count('processes', values.processes, scenario.processes ?? 1),
    out: values.out ?? null,
    variables: {
      ...(rate !== undefined && { RATE: rate }),
      ...(duration !== undefined && { DURATION: duration }),
      ...Object.fromEntries(values.env.map(variableOf)),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: known });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${usage()}`);
  }
}

function count(option: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--${option} ${text} is not a number.`);
  return Number(text);
}

function variableOf(text: string): [string, string] {
  const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UsageError(`--env NAME=value, not ${text}`);
  return [name, value];
}

function usage(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  const list = scenarios.map(({ name, what }) => `  ${name.padEnd(width)}  ${what}\n`).join('');
  return (
    'npm run load -- SCENARIO [--url URL] [--rate PER_SECOND] [--duration 90s] [--users N] [--processes N]\n' +
    '                [--out DIR] [--env NAME=value]\n' +
    'Runs a scenario of load/k6. Without --url it starts the API with Postgres and Redis; with it, the API there must\n' +
    `have seeded users and high rate limits.\n${list}`
  );
}
