import { parseArgs } from 'node:util';
import { authVariables } from '../../libs/auth/auth.config.js';
import { authPersistence } from '../../libs/auth/auth.persistence.js';
import { loadConfigOrExit, needsInProduction } from '../../libs/platform/config/load.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { openDataPath, type DataPath } from '../../libs/platform/data-path.js';
import { onStopSignal, Stopped, untilStopped } from '../../libs/platform/lifecycle/stop-signal.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { tasksPersistence } from '../../libs/tasks/tasks.persistence.js';
import { usersPersistence } from '../../libs/users/users.persistence.js';
import { seed } from './seed.js';
import { usage, UsageError } from './usage.js';
import { user } from './user.js';

const variables = { ...platformVariables, ...authVariables };
const config = loadConfigOrExit(variables, [needsInProduction('DATABASE_URL')]);
// A command's own words are for the terminal; the log tells only what goes wrong.
logger.level = config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL;

const stop = onStopSignal();
try {
  const run = parseCommand(process.argv.slice(2));
  const path = await openDataPath({
    config,
    features: [authPersistence, usersPersistence, tasksPersistence],
    applicationName: 'task-api-cli',
    isCommand: true,
    stop: stop.signal,
  });
  try {
    await untilStopped(run(path), stop);
  } finally {
    await path.close();
  }
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exitCode = 64;
  } else if (error instanceof Stopped) {
    process.exitCode = error.exitCode;
  } else {
    logger.fatal({ err: error }, 'the command failed');
    process.exitCode = 1;
  }
}

function parseCommand(args: string[]): (path: DataPath) => Promise<void> {
  const { values, positionals } = parse(args);
  const [command, ...rest] = positionals;
  if (command === 'seed' && rest.length === 0) {
    const counts = { users: count(values.users), tasks: count(values.tasks) };
    return (path) => seed(path.databases, config, counts);
  }
  if (command === 'user') return user(rest);
  throw new UsageError(
    command === undefined ? 'Which command?' : `Unknown command: ${positionals.join(' ')}`,
  );
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { users: { type: 'string', default: '10' }, tasks: { type: 'string', default: '1000' } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The arguments could not be read.');
  }
}

function count(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`"${value}" is not a number.`);
  return Number(value);
}
