import { createHash } from 'node:crypto';
import type { RedisLink } from '../redis/redis-link.js';
import { mostBytes, type CachedAnswer, type Entry } from './memory-layer.js';

const newline = 0x0a;

/** The layer that all processes share. An entry is one value: stamp, headers and body, each on a line of its own. */
export class RedisLayer {
  constructor(private readonly link: RedisLink) {}

  /** Null where there is none, or Redis can't be asked. */
  async find(userId: string, key: string): Promise<Entry | null> {
    try {
      const value = await this.link.run(() => this.link.redis.getBuffer(redisKey(userId, key)));
      return value === null ? null : decode(value);
    } catch {
      return null;
    }
  }

  /** Does not wait: whoever asked has the answer already. */
  store(userId: string, key: string, entry: Entry, ttlMs: number): void {
    if (!this.link.isUp || entry.answer.body.length > mostBytes) return;
    this.link
      .run(() =>
        this.link.redis.set(redisKey(userId, key), encode(entry), 'PX', Math.max(1, Math.floor(ttlMs))),
      )
      .catch(() => undefined);
  }
}

/** In the slot of the user's other keys. */
const redisKey = (userId: string, key: string): string =>
  `{${userId}}:cache:${createHash('sha256').update(key).digest('base64url').slice(0, 22)}`;

function encode({ stamp, answer: { headers, body } }: Entry): Buffer {
  return Buffer.concat([Buffer.from(`${stamp.join(',')}\n${JSON.stringify(headers)}\n`), body]);
}

function decode(value: Buffer): Entry | null {
  const first = value.indexOf(newline);
  const second = value.indexOf(newline, first + 1);
  if (first < 0 || second < 0) return null;
  const stamp = value.toString('latin1', 0, first).split(',');
  const headers = JSON.parse(value.toString('utf8', first + 1, second)) as CachedAnswer['headers'];
  return { stamp, answer: { headers, body: value.subarray(second + 1) } };
}
