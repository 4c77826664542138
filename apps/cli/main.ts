import { parseArgs } from 'node:util';
import { startDevelopmentPostgres } from '../../libs/embedded/development-postgres.js';
import type { Environment } from '../../libs/platform/config/environment.js';
import { loadConfigOrExit, needsInProduction } from '../../libs/platform/config/load.js';
import { openDataPath } from '../../libs/platform/data-path.js';
import { variablesOf } from '../../libs/platform/features/feature-variables.js';
import { persistenceOf } from '../../libs/platform/features/persistence-of.js';
import { onStopSignal, Stopped, untilStopped } from '../../libs/platform/lifecycle/stop-signal.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { features } from '../features.js';
import { inContext, type Command } from './command.js';
import { database } from './database.js';
import { seed, seedOptions } from './seed.js';
import { usage, UsageError } from './usage.js';
import { user } from './user.js';

const variables = { ...platformVariables, ...variablesOf(features) };
const config = loadConfigOrExit<typeof variables>(variables, [
  needsInProduction('DATABASE_URL'),
]) as Environment<typeof platformVariables>;
// A command prints its output to the terminal; the log has only failures.
logger.level = config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL;

const stop = onStopSignal();
try {
  const command = parseCommand(process.argv.slice(2));
  const metrics = new Metrics();
  const path = await openDataPath({
    config,
    features: persistenceOf(features),
    applicationName: 'task-api-cli',
    role: 'command',
    metrics,
    startEmbedded: startDevelopmentPostgres,
    stop: stop.signal,
  });
  try {
    await untilStopped(inContext({ config, path, metrics }, command), stop);
  } finally {
    await path.close();
  }
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${usage()}`);
    process.exitCode = 64;
  } else if (error instanceof Stopped) {
    process.exitCode = error.exitCode;
  } else {
    logger.fatal({ err: error }, 'the command failed');
    process.exitCode = 1;
  }
}

function parseCommand(args: string[]): Command {
  const { values, positionals } = parse(args);
  const [command, ...rest] = positionals;
  if (command === 'seed' && rest.length === 0) return seed(values);
  if (command === 'user') return user(rest);
  if (command === 'database') return database(rest);
  throw new UsageError(
    command === undefined ? 'Which command?' : `Unknown command: ${positionals.join(' ')}`,
  );
}

function parse(args: string[]): { values: Record<string, string | undefined>; positionals: string[] } {
  try {
    return parseArgs({ args, allowPositionals: true, options: seedOptions });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The arguments could not be read.');
  }
}
