import { Cluster, type Redis } from 'ioredis';
import { changesChannel } from '../consistency/redis-consistency-store.js';
import type { Scope } from '../context/scope.js';
import type { RedisConnection } from '../redis/redis-connection.js';

/**
 * Subscribes to the messages about scopes that were written to, on a separate connection, as Redis requires. A lost message
 * only leaves a stale entry in memory for a while.
 */
export class ChangeListener {
  private readonly subscriber: Redis | Cluster;

  constructor({ redis }: Pick<RedisConnection, 'redis'>, onChange: (scope: Scope, feature: string) => void) {
    this.subscriber = redis instanceof Cluster ? redis.duplicate() : redis.duplicate();
    this.subscriber.on('error', () => undefined);
    this.subscriber.on('ready', () => void this.subscriber.subscribe(changesChannel).catch(() => undefined));
    this.subscriber.on('message', (_channel: string, message: string) => {
      const [scope = '', feature = ''] = message.split(' ');
      onChange(scope as Scope, feature);
    });
  }

  start(): void {
    this.subscriber.connect().catch(() => undefined);
  }

  close(): void {
    this.subscriber.disconnect();
  }
}
