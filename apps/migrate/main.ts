import { parseArgs } from 'node:util';
import { startDevelopmentPostgres } from '../../libs/embedded/development-postgres.js';
import { loadConfigOrExit, needsAlways, needsInProduction } from '../../libs/platform/config/load.js';
import { persistenceOf } from '../../libs/platform/features/persistence-of.js';
import { onStopSignal, Stopped, untilStopped } from '../../libs/platform/lifecycle/stop-signal.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { dataPathVariables } from '../../libs/platform/platform.config.js';
import { openDatabase, untilMigrated } from '../../libs/platform/postgres/open-database.js';
import { features as definitions } from '../features.js';

const features = persistenceOf(definitions);

/**
 * `migrate [--wait] [feature …]`: brings the schemas of the named features (default: all) up to date, then exits. A
 * schema that is newer than this program is left as it is. With `--wait` nothing is changed: it exits once somebody
 * else has brought the schemas at least as far as this program would.
 */
const { wait, names } = parse(process.argv.slice(2));
const config = loadConfigOrExit(dataPathVariables, [
  wait ? needsAlways('DATABASE_URL') : needsInProduction('DATABASE_URL'),
]);
logger.level = config.LOG_LEVEL;
const chosen = names.length === 0 ? features : features.filter(({ schema }) => names.includes(schema));
const stop = onStopSignal();
const options = {
  config: { ...config, MIGRATE_ON_START: !wait },
  features: chosen,
  applicationName: 'task-api-migrate',
  startEmbedded: startDevelopmentPostgres,
  stop: stop.signal,
};
try {
  // Whatever it waits for, nothing is lost if it ends at once; a migration is brought to its end.
  if (wait) await untilStopped(untilMigrated(options), stop);
  else await openDatabase(options).then((database) => database.close());
  logger.info({ features: chosen.map(({ schema }) => schema) }, 'the schemas are up to date');
} catch (error) {
  if (error instanceof Stopped) {
    logger.warn({ signal: error.signal }, 'stopped before the schemas were up to date');
    process.exit(error.exitCode);
  }
  logger.fatal({ err: error }, wait ? 'waiting for migrations failed' : 'migrating failed');
  process.exitCode = 1;
}

function parse(args: string[]): { readonly wait: boolean; readonly names: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { wait: { type: 'boolean', default: false } },
    });
    const unknown = positionals.filter((name) => !features.some(({ schema }) => schema === name));
    if (unknown.length === 0) return { wait: values.wait, names: positionals };
    return leave(`Unknown feature: ${unknown.join(', ')}.`);
  } catch (error) {
    return leave(error instanceof Error ? error.message : 'The arguments could not be read.');
  }
}

/** A usage error: prints the message and the usage, exit code 64 (EX_USAGE). */
function leave(sentence: string): never {
  const schemas = features.map(({ schema }) => schema).join(', ');
  process.stderr.write(`${sentence}\nUsage: migrate [--wait] [feature …]; features are ${schemas}.\n`);
  process.exit(64);
}
