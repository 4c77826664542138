import type { VersionStamp } from './consistency-view.js';

/** What a port of another feature answered. */
export interface Answered<T> {
  readonly value: T;
  /**
   * Where the feature runs in another process: the positions of its database that the value shows, those from before it was
   * read; null where that process could not tell. A cache entry made of the value carries them.
   */
  readonly stamp?: VersionStamp | null;
}
