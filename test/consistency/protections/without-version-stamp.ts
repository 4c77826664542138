import { Caches } from '../../../libs/platform/cache/caches.js';

/** Uses cache entries although newer writes have outdated them. */
export class CachesWithoutStamps extends Caches {
  override isFresh(): boolean {
    return true;
  }
}
