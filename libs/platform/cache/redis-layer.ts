import { createHash } from 'node:crypto';
import type { Scope } from '../context/scope.js';
import { timedOut, withTimeout } from '../async/with-timeout.js';
import { partLatencyBuckets } from '../metrics/latency-buckets.js';
import type { Metrics } from '../metrics/metrics.js';
import type { HistogramSeries } from '../metrics/series.js';
import { timed } from '../metrics/timed.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import type { CachedForm } from './cached-form.js';
import { maxBytes, type Entry } from './memory-layer.js';

/** The layer that all processes share. An entry is one value: a line with its end and version stamp, then the value. */
export class RedisLayer {
  private readonly get: HistogramSeries;
  private readonly set: HistogramSeries;

  constructor(
    private readonly connection: RedisConnection,
    metrics: Metrics,
  ) {
    const duration = metrics.histogram({
      name: 'cache_operation_duration_seconds',
      help: 'Duration of a look-up (`get`) or a store (`set`) in Redis; one that timed out counts with its timeout. The cache in the process takes microseconds and is not measured.',
      labelNames: ['operation'],
      buckets: partLatencyBuckets,
    });
    this.get = duration.series({ operation: 'get' });
    this.set = duration.series({ operation: 'set' });
  }

  /** Null if there is no entry, or Redis is not available or too slow. */
  async find<V>(scope: Scope, key: string, form: CachedForm<V>): Promise<Entry<V> | null> {
    const { connection } = this;
    // While the circuit is open no command is sent, so nothing is measured.
    if (!connection.isUp) return null;
    try {
      const found = await timed(this.get, () =>
        withTimeout(
          connection.run('GET', () => connection.redis.get(redisKey(scope, key, form))),
          connection.readTimeoutMs,
        ),
      );
      return found === null || found === timedOut ? null : decode(found, form);
    } catch {
      return null;
    }
  }

  /** Does not wait: the caller has its answer already. */
  store<V>(scope: Scope, key: string, entry: Entry<V>, form: CachedForm<V>): void {
    const ttlMs = Math.floor(entry.expiresAt - Date.now());
    if (ttlMs < 1 || !this.connection.isUp) return;
    const value = form.encode(entry.value);
    if (value.length > maxBytes) return;
    const text = `${[entry.expiresAt, ...entry.stamp].join()}\n${value}`;
    timed(this.set, () =>
      this.connection.run('SET', () =>
        this.connection.redis.set(redisKey(scope, key, form), text, 'PX', ttlMs),
      ),
    ).catch(() => undefined);
  }
}

/** Version of the line before the value: raise it with each change, so that entries of another one are not found. */
const formVersion = 'v3';

/** In the slot of the scope's other keys. */
const redisKey = (scope: Scope, key: string, { shape }: Pick<CachedForm<unknown>, 'shape'>): string =>
  `{${scope}}:cache:${createHash('sha256').update(`${formVersion} ${shape} ${key}`).digest('base64url').slice(0, 22)}`;

function decode<V>(text: string, form: CachedForm<V>): Entry<V> | null {
  const end = text.indexOf('\n');
  if (end < 0) return null;
  const [expiresAt, ...stamp] = text.slice(0, end).split(',');
  return { stamp, expiresAt: Number(expiresAt), value: form.decode(text.slice(end + 1)) };
}
