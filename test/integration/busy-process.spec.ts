import { TimeoutError } from '../../libs/platform/async/with-timeout.js';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { Probe } from '../../libs/platform/postgres/probe.js';
import { sharedDatabase } from '../support/test-database.js';

/** Blocks the event loop, as if the process got no CPU. */
function blockFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it('does not report a database timeout if the database answered but the process had no CPU', async () => {
  const url = await sharedDatabase('busy');
  const config = parseEnvironment({ NODE_ENV: 'test', DATABASE_URL: url }, platformVariables);
  const probe = new Probe(url, config, 'test', () => undefined);
  try {
    await probe.ask('SELECT 1');
    const answer = probe.ask<{ n: number }>('SELECT 2 AS n');
    blockFor(2500);
    expect(await answer).toEqual([{ n: 2 }]);
    await expect(probe.ask('SELECT pg_sleep(3)')).rejects.toThrow(TimeoutError);
  } finally {
    probe.close();
  }
});
