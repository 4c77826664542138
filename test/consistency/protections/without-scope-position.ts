import { RedisConsistencyStore } from '../../../libs/platform/consistency/redis-consistency-store.js';
import type { Scope } from '../../../libs/platform/context/scope.js';

/** Stores no last-write position of a scope that many users share. */
export class StoreWithoutSharedPositions extends RedisConsistencyStore {
  override async finish(
    ...[intents, position]: Parameters<RedisConsistencyStore['finish']>
  ): ReturnType<RedisConsistencyStore['finish']> {
    const shared = intents.filter(({ scope }) => isShared(scope));
    await super.finish(
      intents.filter((intent) => !shared.includes(intent)),
      position,
    );
    await super.finish(shared, null);
  }
}

const isShared = (scope: Scope): boolean => scope.includes(':');
