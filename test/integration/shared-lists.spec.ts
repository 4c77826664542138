import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { logger } from '../../libs/platform/logging/logger.js';
import { ItemNotFound, NotAMember } from '../consistency/lists/shared-lists.errors.js';
import type { Rules } from '../consistency/lists/shared-lists.rules.js';
import { StoreWithoutOwnPositions } from '../consistency/protections/without-own-scope.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import {
  startReplicatedPostgres,
  type PostgresNode,
  type ReplicatedPostgres,
} from '../support/replicated-postgres.js';
import { createDatabase, runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { openListsProcess, readList, type ListsProcess } from './shared-lists-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);

let postgres: ReplicatedPostgres;
let redis: TestRedis;
let url: string;
let processes: readonly ListsProcess[];

beforeAll(async () => {
  logger.level = 'silent';
  [postgres, redis] = await Promise.all([startReplicatedPostgres({ replicas: 1 }), startRedis()]);
  url = await createDatabase(postgres.primary.adminUrl, 'lists');
  const environment = {
    DATABASE_URL: url,
    DATABASE_REPLICA_URLS: replica().url(new URL(url).pathname.slice(1)),
    REDIS_URL: redis.url,
  };
  processes = [
    await openListsProcess(environment),
    await openListsProcess(environment),
    await openListsProcess(environment, { RedisConsistencyStore: StoreWithoutOwnPositions }),
  ];
});
afterAll(async () => {
  await Promise.all(processes.map((each) => each.close()));
  await redis.stop();
  await postgres.stop();
});
afterEach(() => replica().resumeReplay());

function replica(): PostgresNode {
  const [node] = postgres.replicas;
  if (node === undefined) throw new Error('There is a replica.');
  return node;
}

function processAt(n: number): ListsProcess {
  const found = processes[n];
  if (found === undefined) throw new Error(`There is no process ${n}.`);
  return found;
}

/** Two users who share lists, and an item in the first one. */
async function newLists(count: number) {
  const [ada, bob, item] = [randomUUID(), randomUUID(), randomUUID()] as const;
  const lists = Array.from({ length: count }, () => randomUUID());
  for (const id of lists) {
    await processAt(0).as(ada, ({ memberships }) => memberships.create(ada, { id, title: 'shared' }));
    await processAt(0).as(ada, ({ memberships }) => memberships.change(ada, id, bob, true));
  }
  const [p = '', q = ''] = lists;
  await processAt(0).as(ada, ({ items }) => items.add(ada, p, { id: item, title: 'one' }));
  return { ada, bob, item, p, q };
}

/** Reads until the replica serves `read` in the second process. */
async function untilFromReplica(read: () => Promise<unknown>): Promise<void> {
  await waitFor(
    async () => {
      const before = await processAt(1).replicaReads();
      await read();
      return (await processAt(1).replicaReads()) > before;
    },
    { what: 'reads from the replica' },
  );
}

/** Tries until the fault shows that a broken rule lets happen. On a busy machine the primary may answer instead, which shows none. */
function untilShown(attempt: () => Promise<boolean>): Promise<boolean> {
  return waitFor(
    async () => {
      await replica().resumeReplay();
      return attempt();
    },
    { timeoutMs: 60_000, what: 'the fault' },
  );
}

describe('a colleague adds an item and tells another member, who reads from a replica that does not have it', () => {
  const readNew = async (rules: Partial<Rules>) => {
    const { ada, bob, item, p } = await newLists(1);
    await untilFromReplica(() => processAt(1).as(bob, ({ reads }) => reads.item(bob, item)));
    await replica().pauseReplay();
    const id = randomUUID();
    await processAt(0).as(ada, ({ items }) => items.add(ada, p, { id, title: 'new' }));
    return processAt(1).as(bob, ({ reads }) => reads.item(bob, id), rules);
  };

  it('is found on the primary', async () => {
    expect(await readNew({})).toMatchObject({ title: 'new' });
  });

  it('would not be found if absence on a replica counted', async () => {
    const isNotFound = (error: unknown) => error instanceof ItemNotFound;
    await untilShown(() => readNew({ confirmsAbsence: false }).then(() => false, isNotFound));
  });
});

describe('a member is removed from a list whose entry is fresh', () => {
  const readAfterRemoval = async (rules: Partial<Rules>) => {
    const { ada, bob, p } = await newLists(1);
    const read = () => processAt(1).as(bob, (services) => readList(services, bob, p));
    await read();
    await processAt(0).as(ada, ({ memberships }) => memberships.change(ada, p, bob, false), rules);
    // The removal outdates the entry, and another member fills it again.
    await processAt(1).as(ada, (services) => readList(services, ada, p));
    return read();
  };

  it('sees nothing of it any more', async () => {
    await expect(readAfterRemoval({})).rejects.toThrow(NotAMember);
  });

  it('would see it by the cached membership if the removal raised the scope of the list alone', async () => {
    expect(await readAfterRemoval({ raisesMember: false })).toMatchObject({ title: 'shared' });
  });
});

describe('an item moves between the two statements of a patch', () => {
  const readAfterBoth = async (rules: Partial<Rules>) => {
    const { ada, bob, item, p, q } = await newLists(2);
    const [reached, resume] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const pause = async () => {
      reached.resolve(undefined);
      await resume.promise;
    };
    const patching = processAt(0).as(ada, ({ items }) => items.patch(ada, item, { title: 'two' }), {
      ...rules,
      pause,
    });
    await reached.promise;
    const moving = processAt(0).as(bob, ({ items }) => items.patch(bob, item, { list_id: q }));
    await Promise.race([moving, sleep(300)]);
    const read = () => processAt(1).as(bob, (services) => readList(services, bob, q));
    await read();
    resume.resolve(undefined);
    const versions = (await Promise.all([patching, moving])).map(({ version }) => version);
    expect(p).not.toBe(q);
    return { shown: (await read()).items[0]?.version, newest: Math.max(...versions) };
  };

  it('is shown with both changes', async () => {
    const { shown, newest } = await readAfterBoth({});
    expect(shown).toBe(newest);
  });

  it('would be shown without the patch if that took the list from a row without a lock', async () => {
    const { shown, newest } = await readAfterBoth({ locksItem: false });
    expect([shown, newest]).toEqual([2, 3]);
  });
});

describe('a process maps an item to a list that it has left, and a guest reads behind the own write', () => {
  const readOwnWrite = async (writer: ListsProcess) => {
    const { ada, bob, item, q } = await newLists(2);
    const read = () => processAt(1).as(bob, ({ reads }) => reads.itemByPlace(bob, item));
    await read();
    await processAt(0).as(ada, ({ items }) => items.patch(ada, item, { list_id: q }));
    await untilFromReplica(read);
    await replica().pauseReplay();
    await writer.as(bob, ({ items }) => items.patch(bob, item, { title: 'by the guest' }));
    return (await read()).title;
  };

  it('shows that write', async () => {
    expect(await readOwnWrite(processAt(0))).toBe('by the guest');
  });

  it("would not show it if the write raised the list's scope alone", async () => {
    await untilShown(async () => (await readOwnWrite(processAt(2))) === 'one');
  });
});

describe('a write to a list', () => {
  /** Commands of Redis by name during the work, those inside of scripts included. */
  const commandsOf = async (work: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> => {
    await redis.command('CONFIG', 'RESETSTAT');
    await work();
    const text = String(await redis.command('INFO', 'commandstats'));
    const own = /^(info|config|auth|hello|client|select|ping)/;
    const all = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
    return new Map(
      all.map(([, name = '', calls]) => [name, Number(calls)] as const).filter(([name]) => !own.test(name)),
    );
  };

  it('takes as many commands of Redis for 500 members as for one', async () => {
    const write = async (members: number) => {
      const { ada, item, p } = await newLists(1);
      await runSql(
        url,
        `INSERT INTO shared_lists.members (list_id, user_id) SELECT $1, gen_random_uuid() FROM generate_series(2, $2::int)`,
        [p, members],
      );
      return commandsOf(() => processAt(0).as(ada, ({ items }) => items.patch(ada, item, { title: 'two' })));
    };
    const [one, many] = [await write(1), await write(500)];
    expect(one.get('evalsha')).toBeGreaterThan(0);
    expect(many).toEqual(one);
  });
});
