import { jest } from '@jest/globals';
import { parseOptions } from '@node-rs/argon2';
import { ServiceUnavailable } from '../../platform/errors/common-errors.js';
import { BoundedQueue } from '../../platform/async/bounded-queue.js';
import { PasswordHasher } from './password-hasher.js';

const config = { ARGON2_MEMORY_KIB: 19_456, ARGON2_PASSES: 2, PASSWORD_CONCURRENCY: 2, PASSWORD_QUEUE: 100 };
const password = 'correct horse battery staple';

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher(config);
  let stored = '';

  beforeAll(async () => {
    await hasher.onModuleInit();
    stored = await hasher.hash(password);
  });

  it('hashes by argon2id with 19 MiB, two passes and one lane', () => {
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('knows the right password from a wrong one', async () => {
    await expect(hasher.verify(stored, password)).resolves.toBe(true);
    await expect(hasher.verify(stored, `${password} `)).resolves.toBe(false);
  });

  it('refuses every password of an account that does not exist', async () => {
    await expect(hasher.verify(null, password)).resolves.toBe(false);
  });

  it('finds a hash outdated once its memory or passes have been raised, and not when they were lowered', () => {
    expect(hasher.isOutdated(stored)).toBe(false);
    expect(new PasswordHasher({ ...config, ARGON2_MEMORY_KIB: 20_000 }).isOutdated(stored)).toBe(true);
    expect(new PasswordHasher({ ...config, ARGON2_PASSES: 3 }).isOutdated(stored)).toBe(true);
    expect(new PasswordHasher({ ...config, ARGON2_MEMORY_KIB: 19_000 }).isOutdated(stored)).toBe(false);
  });

  it('does the work of the raised parameters beside that of an outdated hash, as for no account', async () => {
    const raised = new PasswordHasher({ ...config, ARGON2_PASSES: 3 });
    await raised.onModuleInit();
    const current = await raised.hash(password);
    const work = jest.spyOn(BoundedQueue.prototype, 'run');
    const worksOf = async (passwordHash: string | null) => {
      const before = work.mock.calls.length;
      await raised.verify(passwordHash, 'not the password');
      return work.mock.calls.length - before;
    };
    const counts = [await worksOf(null), await worksOf(current), await worksOf(stored)];
    work.mockRestore();
    expect(counts).toEqual([1, 1, 2]);
  });

  it('hashes with the parameters that it was given', async () => {
    const raised = await new PasswordHasher({ ...config, ARGON2_PASSES: 3 }).hash(password);
    expect(parseOptions(raised)).toMatchObject({ memoryCost: 19_456, timeCost: 3, parallelism: 1 });
  });

  it('tells before any work whether one more would be refused', async () => {
    const small = new PasswordHasher({ ...config, PASSWORD_QUEUE: 1 });
    expect(() => small.requireRoom()).not.toThrow();
    const work = Array.from({ length: 3 }, () => small.hash(password));
    expect(() => small.requireRoom()).toThrow(ServiceUnavailable);
    await Promise.all(work);
    expect(() => small.requireRoom()).not.toThrow();
  });

  it('answers 503 with Retry-After to what finds 2 at work and 100 waiting', async () => {
    const small = new PasswordHasher({ ...config, PASSWORD_QUEUE: 1 });
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => small.hash(password)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toBeInstanceOf(ServiceUnavailable);
    expect(refused?.reason).toMatchObject({
      code: 'password_queue_full',
      kind: 'unavailable',
      retryAfterSeconds: 2,
    });
  });
});
