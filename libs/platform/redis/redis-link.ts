import type { Cluster, Redis } from 'ioredis';
import { Gauge } from 'prom-client';
import { logger } from '../logging/logger.js';
import { registry } from '../operations/registry.js';
import { createRedis, type RedisAddress, type RedisClientConfig } from './redis-url.js';

const up = new Gauge({
  name: 'redis_link_up',
  help: '1 while this process reaches Redis, else 0.',
  registers: [registry],
});

/** Redis can not be asked now; it is tried again by itself. */
export class RedisUnavailable extends Error {}

type Script = (...args: (string | number)[]) => Promise<unknown>;

/**
 * The connection to Redis with a circuit breaker around it: a command that takes too long or a connection that breaks
 * opens it, and all that follow fail at once, until a new connection has been made. The log tells of it once.
 */
export class RedisLink {
  readonly redis: Redis | Cluster;
  isUp = false;
  /** Rises with each loss: Redis may have been restarted, or failed over to an older copy. */
  epoch = 0;
  /** By the monotonic clock; null while it is down. */
  upSince: number | null = null;
  private readonly listeners = new Set<() => void>();
  private isClosed = false;

  constructor(
    address: RedisAddress,
    private readonly config: RedisClientConfig,
    name: string,
  ) {
    this.redis = createRedis(address, config, name);
    up.set(0);
    this.redis.on('ready', () => this.raise());
    this.redis.on('close', () => this.lose('the connection was closed'));
    // Told by `close`, which follows; without a listener it would end the process.
    this.redis.on('error', () => undefined);
    // A cluster connects anew to single nodes without a word.
    this.redis.on('+node', (node: Redis) =>
      node.on('close', () => this.lose('the connection to a node was closed')),
    );
  }

  /** Begins to connect; does not wait for it. */
  start(): void {
    this.redis.connect().catch(() => undefined);
  }

  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Makes a Lua script callable by `script`. */
  define(name: string, lua: string): void {
    this.redis.defineCommand(name, { lua });
  }

  /** @throws RedisUnavailable */
  script(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const commands = this.redis as unknown as Readonly<Record<string, Script>>;
    return this.run(() => (commands[name] as Script).call(this.redis, keys.length, ...keys, ...args));
  }

  /**
   * Runs a command, or fails at once while the circuit is open.
   *
   * @throws RedisUnavailable
   */
  async run<T>(command: () => Promise<T>): Promise<T> {
    if (!this.isUp) throw new RedisUnavailable('Redis is not available');
    const { epoch } = this;
    try {
      return await this.within(command());
    } catch (error) {
      if (isAnswer(error)) throw error;
      // Of the many that fail together the first one opens the circuit.
      if (epoch === this.epoch) this.lose('a command failed', error);
      throw new RedisUnavailable('Redis is not available', { cause: error });
    }
  }

  async untilUp(timeoutMs: number): Promise<boolean> {
    if (this.isUp) return true;
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(this.isUp), timeoutMs);
      this.onChange(() => {
        clearTimeout(timer);
        resolve(this.isUp);
      });
    });
  }

  close(): void {
    this.isClosed = true;
    this.isUp = false;
    this.redis.disconnect();
  }

  private raise(): void {
    if (this.isUp || this.isClosed) return;
    this.isUp = true;
    this.upSince = performance.now();
    up.set(1);
    logger.info('Redis is reached');
    this.tell();
  }

  private lose(reason: string, error?: unknown): void {
    if (!this.isUp || this.isClosed) return;
    this.isUp = false;
    this.upSince = null;
    this.epoch++;
    up.set(0);
    logger.warn({ reason, err: error }, 'Redis is lost: going on without it');
    // A connection on which nothing comes back any more is of no use; the client makes another.
    this.redis.disconnect(true);
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** The time is up only when what has arrived meanwhile has been read: a busy process must not blame Redis. */
  private within<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        setImmediate(() => reject(new Error(`no answer within ${this.config.REDIS_TIMEOUT_MS} ms`)));
      }, this.config.REDIS_TIMEOUT_MS);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

/** An error that Redis itself answered is none of the connection, but for a server that is loading or has turned replica. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ReplyError' &&
    !/^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN)/.test(error.message)
  );
}
