import { randomUUID } from 'node:crypto';
import { Lease, type LeaseServers } from '../../libs/platform/consistency/lease.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { waitFor } from '../support/wait.js';

logger.level = 'silent';

let opened: TestDataPath;
beforeAll(async () => {
  opened = await openTestDataPath('lease', [], {}, 'command');
});
afterAll(() => opened.close());

/** The real servers, but each statement of the lease waits for `gate` before it is sent. */
const behind = (gate: () => Promise<void>): LeaseServers => ({
  get primary() {
    const { primary } = opened.path.servers;
    if (primary === null) return null;
    return {
      state: primary.state,
      writeOn: async (sql: string, values?: unknown[]): Promise<void> => {
        await gate();
        return primary.writeOn(sql, values);
      },
    };
  },
});

const isValid = async (holder: string): Promise<boolean> => {
  const rows = await opened.dataSource.query<{ valid: boolean }[]>(
    'SELECT expires_at > clock_timestamp() AS valid FROM platform.leases WHERE holder = $1',
    [holder],
  );
  return rows[0]?.valid === true;
};

describe('a lease', () => {
  it('whose renewal reaches the primary only after its end is a new one, which all others have to notice', async () => {
    const holder = randomUUID();
    let gate = () => Promise.resolve();
    let renewedAt = Infinity;
    const lease = new Lease(
      behind(() => gate()),
      holder,
    );
    expect(await lease.untilEffective(3000)).toBe(true);

    const cutOffAt = performance.now();
    gate = async () => {
      if (performance.now() < cutOffAt + 1000) throw new Error('the connection broke');
      await waitFor(async () => !(await isValid(holder)), { intervalMs: 10, what: 'the end of the lease' });
      gate = () => Promise.resolve();
      renewedAt = performance.now();
    };
    // Between the two, others have seen no lease.
    await waitFor(() => isValid(holder).then((valid) => valid && renewedAt < Infinity), { intervalMs: 10 });
    expect(lease.isEffective()).toBe(false);
    await waitFor(() => lease.isEffective(), { intervalMs: 5 });
    expect(performance.now() - renewedAt).toBeGreaterThanOrEqual(1000);
    await lease.stop();
    expect(await isValid(holder)).toBe(false);
  });
});
