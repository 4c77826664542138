import { createHash } from 'node:crypto';
import { partLatencyBuckets } from '../metrics/latency-buckets.js';
import { withTimeout, timedOut } from '../async/with-timeout.js';
import { SeriesHistogram } from '../metrics/series.js';
import { timed } from '../metrics/timed.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import { maxBytes, type CachedAnswer, type Entry } from './memory-layer.js';

const duration = new SeriesHistogram({
  name: 'cache_operation_duration_seconds',
  help: 'Time of a look-up (`get`) or a store (`set`) in Redis; one that was given up counts with the time until then. The cache in the process takes microseconds and is not measured.',
  labelNames: ['operation'],
  buckets: partLatencyBuckets,
});
const get = duration.series({ operation: 'get' });
const set = duration.series({ operation: 'set' });

const newline = 0x0a;

/** The layer that all processes share. An entry is one value: a line with its end and stamp, one with the headers, the
 * body. */
export class RedisLayer {
  constructor(private readonly connection: RedisConnection) {}

  /** Null where there is none, or Redis can't be asked or takes long. */
  async find(userId: string, key: string): Promise<Entry | null> {
    // The circuit is open: nothing is asked, so nothing is measured.
    if (!this.connection.isUp) return null;
    try {
      const value = await timed(get, () =>
        withTimeout(
          this.connection.run('GET', () => this.connection.redis.getBuffer(redisKey(userId, key))),
          this.connection.readTimeoutMs,
        ),
      );
      return value === null || value === timedOut ? null : decode(value);
    } catch {
      return null;
    }
  }

  /** Does not wait: whoever asked has the answer already. */
  store(userId: string, key: string, entry: Entry): void {
    const ttlMs = Math.floor(entry.expiresAt - Date.now());
    if (ttlMs < 1 || !this.connection.isUp || entry.answer.body.length > maxBytes) return;
    timed(set, () =>
      this.connection.run('SET', () =>
        this.connection.redis.set(redisKey(userId, key), encode(entry), 'PX', ttlMs),
      ),
    ).catch(() => undefined);
  }
}

/** In the slot of the user's other keys. */
const redisKey = (userId: string, key: string): string =>
  `{${userId}}:cache:${createHash('sha256').update(key).digest('base64url').slice(0, 22)}`;

function encode({ stamp, expiresAt, answer: { headers, body } }: Entry): Buffer {
  return Buffer.concat([Buffer.from(`${[expiresAt, ...stamp].join()}\n${JSON.stringify(headers)}\n`), body]);
}

function decode(value: Buffer): Entry | null {
  const first = value.indexOf(newline);
  const second = value.indexOf(newline, first + 1);
  if (first < 0 || second < 0) return null;
  const [expiresAt, ...stamp] = value.toString('latin1', 0, first).split(',');
  const headers = JSON.parse(value.toString('utf8', first + 1, second)) as CachedAnswer['headers'];
  return { stamp, expiresAt: Number(expiresAt), answer: { headers, body: value.subarray(second + 1) } };
}
