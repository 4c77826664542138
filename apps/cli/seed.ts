import { CONFIG } from '../../libs/platform/config/config.token.js';
import { DatabaseFactory } from '../../libs/platform/database/database.js';
import { features } from '../features.js';
import type { Command } from './command.js';
import { UsageError } from './usage.js';

const seeds = features.flatMap(({ name, seed }) => (seed === null ? [] : [{ name, ...seed }]));

/** The option of each seed: how many of its things are made. */
export const seedOptions = Object.fromEntries(
  seeds.flatMap(({ option, defaultCount }) =>
    option === null ? [] : [[option, { type: 'string' as const, default: String(defaultCount) }]],
  ),
);

/** Fills the database with example data, feature by feature. */
export function seed(values: Readonly<Record<string, string | undefined>>): Command {
  const counts = Object.fromEntries(
    Object.keys(seedOptions).map((option) => [option, parseCount(values[option])]),
  );
  return async (app) => {
    const databases = app.get(DatabaseFactory);
    const config = app.get<Readonly<Record<string, unknown>>>(CONFIG);
    const started = performance.now();
    let userIds: readonly string[] = [];
    for (const { name, option, run } of seeds) {
      const count = option === null ? userIds.length : (counts[option] ?? 0);
      const context = { database: databases.forFeature(name), config, count, userIds };
      await run(context);
      ({ userIds } = context);
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const made = Object.entries(counts).map(([option, count]) => `${count} ${option}`);
    process.stdout.write(`Made ${made.join(' and ')} in ${seconds} s.\n`);
  };
}

function parseCount(value = ''): number {
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`"${value}" is not a number.`);
  return Number(value);
}
