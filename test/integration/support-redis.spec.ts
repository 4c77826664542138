import { startRedis, type TestRedis } from '../support/redis.js';

describe('startRedis', () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis({ settings: { maxmemory: '32mb' } });
    // Longer where it has to be installed first.
  }, 180_000);
  afterAll(() => redis.stop());

  it('accepts commands only with its password, and has its settings', async () => {
    expect(await redis.command('SET', 'key', 'value')).toBe('OK');
    expect(await redis.command('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '33554432']);
    const stranger = new URL(redis.url);
    expect([stranger.port, stranger.password]).toEqual([String(redis.port), redis.password]);
  });

  it('does not answer while paused', async () => {
    redis.pause();
    const answer = redis.command('PING');
    await expect(answer).rejects.toThrow();
    redis.resume();
    expect(await redis.command('PING')).toBe('PONG');
  });

  it('is down after it was killed, and comes back empty on its port when started', async () => {
    await redis.command('SET', 'key', 'value');
    await redis.kill();
    await expect(redis.command('GET', 'key')).rejects.toThrow();
    await redis.start();
    expect(await redis.command('GET', 'key')).toBeNull();
  });
});
