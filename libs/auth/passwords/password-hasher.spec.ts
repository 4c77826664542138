import { jest } from '@jest/globals';
import { hash, parseOptions } from '@node-rs/argon2';
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
    await expect(hasher.verify(stored, password)).resolves.toBe('right');
    await expect(hasher.verify(stored, `${password} `)).resolves.toBe('wrong');
  });

  it('refuses every password of an account that does not exist', async () => {
    await expect(hasher.verify(null, password)).resolves.toBe('wrong');
  });

  it('finds a hash outdated once its memory or passes have been raised, and not when they were lowered', async () => {
    const matchOf = async (change: object) => {
      const other = new PasswordHasher({ ...config, ...change });
      await other.onModuleInit();
      return other.verify(stored, password);
    };
    await expect(matchOf({ ARGON2_MEMORY_KIB: 20_000 })).resolves.toBe('outdated');
    await expect(matchOf({ ARGON2_PASSES: 3 })).resolves.toBe('outdated');
    await expect(matchOf({ ARGON2_MEMORY_KIB: 19_000 })).resolves.toBe('right');
  });

  it('takes a password as RFC 8265 prepares it, from whichever keyboard', async () => {
    const [composed, decomposed] = ['sch\u00F6ne gr\u00FC\u00DFe', 'scho\u0308ne\u00A0gru\u0308\u00DFe'];
    const current = await hasher.hash(composed);
    await expect(hasher.verify(current, decomposed)).resolves.toBe('right');
    // As version 0.1 stored them.
    const asGiven = await hash(decomposed, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    await expect(hasher.verify(asGiven, decomposed)).resolves.toBe('outdated');
    await expect(hasher.verify(asGiven, composed)).resolves.toBe('wrong');
  });

  it('does the work of the raised parameters beside that of an outdated hash, as for no account', async () => {
    const raised = new PasswordHasher({ ...config, ARGON2_PASSES: 3 });
    await raised.onModuleInit();
    const current = await raised.hash(password);
    const work = jest.spyOn(BoundedQueue.prototype, 'run');
    const worksOf = async (passwordHash: string | null, given = 'not the password') => {
      const before = work.mock.calls.length;
      await raised.verify(passwordHash, given);
      return work.mock.calls.length - before;
    };
    const counts = [await worksOf(null), await worksOf(current), await worksOf(stored)];
    // Two kinds of it are tried.
    const decomposed = [await worksOf(null, 'a\u0308'), await worksOf(current, 'a\u0308')];
    work.mockRestore();
    expect(counts).toEqual([1, 1, 2]);
    expect(decomposed).toEqual([2, 2]);
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
