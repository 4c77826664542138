import { jest } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { userScope } from '../../libs/platform/context/scope.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { StoreModel, type Step } from './store-model-fixture.js';
import { newSide, oldSide } from './store-sides-fixture.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);
logger.level = 'silent';

let redis: TestRedis;
let direct: Redis;
let opened: TestDataPath;
let runs = 0;

beforeAll(async () => {
  redis = await startRedis();
  direct = new Redis(redis.url);
  const env = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '10000' };
  opened = await openTestDataPath('versions', [], env, 'command');
  await opened.path.consistency.store?.untilUp(5000);
});
afterAll(async () => {
  await opened.close();
  direct.disconnect();
  await redis.stop();
});

async function play(steps: readonly Step[]): Promise<void> {
  const { store } = opened.path.consistency;
  if (store === null) throw new Error('There is a store with Redis.');
  const user = `user${++runs}`;
  const key = `{${user}}:notes`;
  const sides = { old: oldSide(direct, key), new: newSide(store, userScope(user)) };
  const model = new StoreModel(direct, key, sides);
  for (const step of steps) await model.take(step);
}

const stepsOf = (kinds: readonly Step['kind'][], versions: readonly Step['version'][]) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      n: fc.integer({ min: 0, max: 2 }),
      version: fc.constantFrom(...versions),
    }),
    { minLength: 12, maxLength: 60, size: 'max' },
  );

/** `write 0` is the next step of writer 0: announces, commits, asks for its position, stores it. `read 0` likewise. */
const script = (text: string): Step[] =>
  text.split(', ').map((step) => {
    const [kind, n, version = 'new'] = step.split(' ');
    return { kind: kind as Step['kind'], n: Number(n ?? 0), version: version as Step['version'] };
  });
const wholeWrite = 'write 1, write 1, write 1, write 1';
/** Found by this test, one after the other. */
const lostWhile = {
  aWriteEnds: script(`write 0, write 0, write 0, ${wholeWrite}, lose, write 0, read 0`),
  aReaderSettles: script(`read 0, second, read 0, read 0, ${wholeWrite}, lose, read 0, read 1`),
  anotherWriterIsDead: script(`write 2, write 0, write 0, write 0, ${wholeWrite}, die, write 0, read 0`),
};
const examples: [Step[]][] = Object.values(lostWhile).map((steps) => [steps]);

// Steps of writes and reads, of which each has several, are far more frequent than faults.
const often: readonly Step['kind'][] = ['write', 'write', 'write', 'write', 'read', 'read', 'read', 'second'];
const numRuns = 800;

describe('a reader who begins after an acknowledged write relies on nothing earlier', () => {
  it('where processes of version 0.1 use the same Redis', async () => {
    const steps = stepsOf([...often, 'die', 'lose'], ['old', 'new']);
    await fc.assert(fc.asyncProperty(steps, play), { numRuns });
  });

  it('where version 0.1 drops a position in the millisecond of an announcement', async () => {
    const otherWrite = 'write 1 old, write 1 old, write 1 old';
    const steps = `write 2 old, write 1 old, write 0, write 0, write 0, ${otherWrite}, die 0 old, write 0, read 0 old`;
    // Nearly half of them take less than a millisecond up to there.
    for (let n = 0; n < 50; n++) await play(script(steps));
  });

  it('whatever the processes, Redis and the database go through', async () => {
    const steps = stepsOf([...often, 'die', 'stall', 'lose', 'renew', 'restore'], ['new']);
    await fc.assert(fc.asyncProperty(steps, play), { numRuns, examples });
  });

  it.each(Object.entries(lostWhile))('where positions are lost while %s', async (_, steps) => {
    await play(steps);
  });
});
