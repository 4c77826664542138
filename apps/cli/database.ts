import { DatabaseFactory } from '../../libs/platform/database/database.js';
import { renewDatabaseId } from '../../libs/platform/database/renew-database-id.js';
import type { Command } from './command.js';
import { UsageError } from './usage.js';

/** `database renew-id` */
export function database([action, ...rest]: string[]): Command {
  if (action !== 'renew-id' || rest.length > 0)
    throw new UsageError(`Unknown command: ${['database', action, ...rest].join(' ').trim()}`);
  return async (app) => {
    const id = await renewDatabaseId(app.get(DatabaseFactory));
    process.stdout.write(
      `The database has the new id ${id}. Cache entries and last-write positions from before are not used any more.\n`,
    );
  };
}
