import type { Position } from '../positions/position.js';

/** What is known about the last write that changed what a user sees of one feature. */
export type LastWrite =
  | { readonly kind: 'known'; readonly position: Position }
  /** A write is under way. */
  | { readonly kind: 'writing' }
  /** No position is stored: it may have been lost. `settled`: for so long that no unannounced write can be under way. */
  | { readonly kind: 'unknown'; readonly isSettled: boolean };

/** A write under way: reads of that user and feature go to the primary until it is finished. */
export interface WriteIntent {
  readonly userId: string;
  readonly feature: string;
  readonly id: string;
}
