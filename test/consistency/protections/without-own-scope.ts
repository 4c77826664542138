import { RedisConsistencyStore } from '../../../libs/platform/consistency/redis-consistency-store.js';
import { currentCall } from '../../../libs/platform/context/call-context.js';
import { sharedLists } from '../lists/shared-lists.names.js';

/** Stores no last-write position of the user who writes to a shared list. */
export class StoreWithoutOwnPositions extends RedisConsistencyStore {
  override async finish(
    ...[intents, position]: Parameters<RedisConsistencyStore['finish']>
  ): ReturnType<RedisConsistencyStore['finish']> {
    const own = currentCall()?.view?.scope;
    const left = intents.filter(({ scope, feature }) => scope === own && feature === sharedLists);
    await super.finish(
      intents.filter((intent) => !left.includes(intent)),
      position,
    );
    await super.finish(left, null);
  }
}
