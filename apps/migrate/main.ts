import { authPersistence } from '../../libs/auth/auth.persistence.js';
import { loadConfigOrExit, needsInProduction } from '../../libs/platform/config/load.js';
import { platformVariables } from '../../libs/platform/config/platform-variables.js';
import { openDatabase } from '../../libs/platform/database/open-database.js';
import { uuidv7 } from '../../libs/platform/database/uuid.js';
import { onStopSignal, Stopped } from '../../libs/platform/lifecycle/stop-signal.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { tasksPersistence } from '../../libs/tasks/tasks.persistence.js';
import { usersPersistence } from '../../libs/users/users.persistence.js';

const features = [authPersistence, usersPersistence, tasksPersistence];

/** `migrate [feature …]`: brings the schemas of the named features (default: all) up to date, then exits. */
const config = loadConfigOrExit(platformVariables, [needsInProduction('DATABASE_URL')]);
logger.level = config.LOG_LEVEL;
const names = process.argv.slice(2);
const unknown = names.filter((name) => !features.some(({ schema }) => schema === name));
if (unknown.length > 0) {
  process.stderr.write(
    `Unknown feature: ${unknown.join(', ')}. There are ${features.map((f) => f.schema).join(', ')}.\n`,
  );
  process.exit(64);
}
const chosen = names.length === 0 ? features : features.filter(({ schema }) => names.includes(schema));
const stop = onStopSignal();
try {
  const database = await openDatabase({
    config: { ...config, MIGRATE_ON_START: true },
    features: chosen,
    applicationName: 'task-api-migrate',
    processId: uuidv7(),
    stop: stop.signal,
  });
  await database.close();
  logger.info({ features: chosen.map(({ schema }) => schema) }, 'the schemas are up to date');
} catch (error) {
  logger.fatal({ err: error }, 'migrating failed');
  process.exitCode = error instanceof Stopped ? error.exitCode : 1;
}
