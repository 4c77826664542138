import type { INestApplicationContext } from '@nestjs/common';
import { DatabaseFactory } from '../../libs/platform/database/database.js';
import { renewDatabaseId } from '../../libs/platform/database/renew-database-id.js';
import type { Command } from './command.js';
import { UsageError } from './usage.js';

const commands: Readonly<Record<string, (app: INestApplicationContext) => Promise<string>>> = {
  'renew-id': async (app) => {
    const id = await renewDatabaseId(app.get(DatabaseFactory));
    return `The database has the new id ${id}. Cache entries and last-write positions from before are not used any more.`;
  },
  'forget-standbys': async (app) =>
    (await app.get(DatabaseFactory).servers.forgetStandbys())
      ? 'Writes are acknowledged without the standbys of before. None of those may serve again before it is cloned anew.'
      : 'Nothing waits for standbys of before.',
};

/** `database renew-id`, `database forget-standbys` */
export function database([action = '', ...rest]: string[]): Command {
  const run = Object.hasOwn(commands, action) ? commands[action] : undefined;
  if (run === undefined || rest.length > 0)
    throw new UsageError(`Unknown command: ${['database', action, ...rest].join(' ').trim()}`);
  return async (app) => {
    process.stdout.write(`${await run(app)}\n`);
  };
}
