import type { Position } from '../positions/position.js';
import type { Scope } from './scope.js';

/** What is known about the last write that changed a scope of one feature. */
export type LastWrite =
  | { readonly kind: 'known'; readonly position: Position }
  /** A write is under way. */
  | { readonly kind: 'writing' }
  /** No position is stored: it may have been lost. `isSettled`: for so long that no unannounced write can be under way. */
  | { readonly kind: 'unknown'; readonly isSettled: boolean };

/** What the consistency store knows of one scope. */
export interface LastWrites {
  readonly byFeature: ReadonlyMap<string, LastWrite>;
  /** For features without a last write: it is unknown. */
  readonly missing: LastWrite;
}

/** A write under way: reads of that scope go to the primary until it is finished. */
export interface WriteIntent {
  readonly scope: Scope;
  readonly feature: string;
  readonly id: string;
}
