import { Cluster, type Redis } from 'ioredis';
import { changesChannel } from '../consistency/redis-consistency-store.js';
import type { RedisConnection } from '../redis/redis-connection.js';

/**
 * Hears which users were written to, on a connection of its own, as Redis asks for. Losing it costs memory for a while,
 * nothing else.
 */
export class ChangeListener {
  private readonly subscriber: Redis | Cluster;

  constructor(
    { redis }: Pick<RedisConnection, 'redis'>,
    onChange: (userId: string, feature: string) => void,
  ) {
    this.subscriber = redis instanceof Cluster ? redis.duplicate() : redis.duplicate();
    this.subscriber.on('error', () => undefined);
    this.subscriber.on('ready', () => void this.subscriber.subscribe(changesChannel).catch(() => undefined));
    this.subscriber.on('message', (_channel: string, message: string) => {
      const [userId = '', feature = ''] = message.split(' ');
      onChange(userId, feature);
    });
  }

  start(): void {
    this.subscriber.connect().catch(() => undefined);
  }

  close(): void {
    this.subscriber.disconnect();
  }
}
