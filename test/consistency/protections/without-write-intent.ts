import { RedisConsistencyStore } from '../../../libs/platform/consistency/redis-consistency-store.js';

/** Announces no writes: during a write, other processes read from replicas and caches. */
export class StoreWithoutIntents extends RedisConsistencyStore {
  override begin(
    ...[limit, cost, { scopes }]: Parameters<RedisConsistencyStore['begin']>
  ): ReturnType<RedisConsistencyStore['begin']> {
    return super.begin(limit, cost, { scopes, intent: null });
  }

  override announce(): Promise<void> {
    return Promise.resolve();
  }
}
