import calculateSlot from 'cluster-key-slot';
import type { Cluster, Redis } from 'ioredis';
import type { Gauge } from 'prom-client';
import { failAfter } from '../async/with-timeout.js';
import { currentCall, outsideOfCalls } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { inClientSpan } from '../telemetry/tracer.js';
import { connectedNodes, corkUntilNextTurn, requireWholeCluster } from './clients.js';
import { describeCommand } from './command-span.js';
import { createRedis, type RedisAddress, type RedisClientConfig } from './redis-url.js';
import { isRefusedCommand } from './refused-command.js';

/** Redis is not available now. The connection is retried automatically. */
export class RedisUnavailable extends Error {}

const retryMs = 1000;

type Script = (...args: (string | number)[]) => Promise<unknown>;

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
  readonly config: RedisClientConfig;
  /** Connection name, as `CLIENT LIST` shows it. */
  readonly name: string;
  readonly metrics: Metrics;
}

/**
 * The connection to Redis with a circuit breaker: a command that times out or a connection that breaks opens it. Then all
 * commands fail at once until there is a new connection. The log says so once.
 */
export class RedisConnection {
  readonly redis: Redis | Cluster;
  isUp = false;
  /** Increases with each loss: Redis may have been restarted, or failed over to an older copy. */
  epoch = 0;
  /** By the monotonic clock; null while Redis is lost. */
  upSince: number | null = null;
  private readonly address: RedisAddress;
  private readonly timeoutMs: number;
  private readonly upGauge: Gauge;
  private readonly listeners = new Set<() => void>();
  private isClosed = false;
  private lastError: unknown;
  private readonly watchdog: NodeJS.Timeout;

  constructor({ address, config, name, metrics }: RedisConnectionOptions) {
    this.address = address;
    this.timeoutMs = config.REDIS_TIMEOUT_MS;
    this.upGauge = metrics.gauge({
      name: 'redis_link_up',
      aggregator: 'min',
      help: '1 while this process reaches Redis, else 0. No series where it uses none.',
    });
    this.redis = createRedis(address, config, name);
    this.watch();
    this.watchdog = setInterval(() => this.reconnect(), retryMs).unref();
  }

  /**
   * How long a read waits for Redis before it continues without it, which is correct but slower. Shorter than
   * `REDIS_TIMEOUT_MS`, after which Redis counts as lost: until then each read would take that long.
   */
  get readTimeoutMs(): number {
    return this.timeoutMs / 8;
  }

  /** Begins to connect; does not wait for it. */
  start(): void {
    this.redis.connect().catch(() => undefined);
  }

  /** Calls `listener` when Redis is reached or lost. Returns a function that ends this. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Of a Redis Cluster; 0 for every key where Redis is none. A script takes keys of one slot only. */
  slotOf(key: string): number {
    return this.address.kind === 'cluster' ? calculateSlot(key) : 0;
  }

  /** Makes a Lua script callable by `script`. */
  define(name: string, lua: string): void {
    this.redis.defineCommand(name, { lua });
  }

  /** Runs a script, as `run` does. */
  script(
    name: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    deadline?: Deadline,
  ): Promise<unknown> {
    return this.run(`EVALSHA ${name}`, () => this.evaluate(name, keys, args), deadline);
  }

  /** Runs a script for several calls at once: it is part of none of them. Each waits for it by `waitFor`. @throws RedisUnavailable */
  sharedScript(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return outsideOfCalls(() => this.runNow(() => this.evaluate(name, keys, args)));
  }

  /** The part of a call in a shared script: the span of the call, and the wait until its deadline. */
  waitFor<T>(
    name: string,
    work: () => Promise<T>,
    deadline = currentCall()?.deadline ?? Deadline.none,
  ): Promise<T> {
    return inClientSpan(
      () => describeCommand(name, this.address, this.redis),
      () => (deadline.isExpired ? Promise.reject(new DeadlineExceeded()) : deadline.limit(work())),
    );
  }

  /**
   * Runs a command, or fails at once while the circuit is open. `name` is for traces: the command, and the script.
   * `deadline` is that of the current call unless told: the wait ends with it, and the command may still take effect.
   *
   * @throws RedisUnavailable
   * @throws DeadlineExceeded
   */
  run<T>(
    name: string,
    command: () => Promise<T>,
    deadline = currentCall()?.deadline ?? Deadline.none,
  ): Promise<T> {
    return this.waitFor(
      name,
      () => {
        corkUntilNextTurn(this.redis);
        return this.runNow(command);
      },
      deadline,
    );
  }

  /** Waits until Redis is reached, for `timeoutMs` at most. */
  async untilUp(timeoutMs: number): Promise<boolean> {
    if (this.isUp) return true;
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => {
        logger.warn({ err: this.lastError }, 'Redis is not reached: continuing without it');
        forget();
        resolve(false);
      }, timeoutMs);
      const forget = this.onChange(() => {
        clearTimeout(timer);
        forget();
        resolve(this.isUp);
      });
    });
  }

  close(): void {
    this.isClosed = true;
    this.isUp = false;
    clearInterval(this.watchdog);
    this.redis.disconnect();
  }

  private evaluate(
    name: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const commands = this.redis as unknown as Readonly<Record<string, Script>>;
    return (commands[name] as Script).call(this.redis, keys.length, ...keys, ...args);
  }

  private async runNow<T>(command: () => Promise<T>): Promise<T> {
    if (!this.isUp) throw new RedisUnavailable('Redis is not available');
    const { epoch } = this;
    try {
      return await this.withinTimeout(command());
    } catch (error) {
      if (isRefusedCommand(error)) throw error;
      // Of many that fail together the first one opens the circuit.
      if (epoch === this.epoch) this.lose('a command failed', error);
      throw new RedisUnavailable('Redis is not available', { cause: error });
    }
  }

  private watch(): void {
    this.upGauge.set(0);
    this.redis.on('ready', () => void this.tryRaise());
    this.redis.on('close', () => this.lose('the connection was closed'));
    // `close` follows and is handled. Without a listener the event would end the process.
    this.redis.on('error', (error: unknown) => {
      this.lastError = error;
    });
    // A cluster connects again to single nodes without an event of its own.
    this.redis.on('+node', (node: Redis) =>
      node.on('close', () => {
        if (connectedNodes(this.redis).includes(node)) this.lose('the connection to a node was closed');
      }),
    );
  }

  /** Only where the client does not connect already: a cluster's client that is told to, again, may hang forever (ioredis 6.0). */
  private reconnect(): void {
    if (['close', 'disconnecting', 'end'].includes(this.redis.status)) this.start();
  }

  /** A Redis that accepts no writes (a replica, out of memory, too few replicas of its own) counts as lost. */
  private async tryRaise(): Promise<void> {
    try {
      await this.withinTimeout(this.redis.set('task-api:reached', '1', 'PX', 60_000));
      await this.withinTimeout(requireWholeCluster(this.redis));
      this.raise();
    } catch (error) {
      this.lastError = error;
      if (this.isClosed || this.redis.status !== 'ready') return;
      setTimeout(() => void this.tryRaise(), retryMs).unref();
    }
  }

  private raise(): void {
    if (this.isUp || this.isClosed) return;
    this.isUp = true;
    this.upSince = performance.now();
    this.upGauge.set(1);
    logger.info('Redis is reached');
    this.notify();
  }

  private lose(reason: string, error?: unknown): void {
    if (!this.isUp || this.isClosed) return;
    this.isUp = false;
    this.upSince = null;
    this.epoch++;
    this.upGauge.set(0);
    logger.warn({ reason, err: error }, 'Redis is lost: continuing without it');
    outsideOfCalls(() => {
      // A connection without answers is useless; the client opens another one.
      this.redis.disconnect(true);
      this.notify();
    });
  }

  private notify(): void {
    for (const listener of [...this.listeners]) listener();
  }

  private withinTimeout<T>(answer: Promise<T>): Promise<T> {
    return failAfter(answer, this.timeoutMs, 'Redis');
  }
}
