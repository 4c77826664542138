import { later, type Position } from '../positions/position.js';
import type { LastWrite, WriteIntent } from './last-write.js';

/** Where a read may go. */
export type ReadRequirement =
  /** To the primary only, and only if it has reached `position`. */
  | { readonly kind: 'primary'; readonly position: Position }
  /** To any server that has replayed `position`. */
  | { readonly kind: 'position'; readonly position: Position };

/** What was known before a cache entry was computed: one position for each feature that it depends on. */
export type VersionStamp = readonly Position[];

/**
 * What a request of a user may rely on, as of its beginning. `lastWrites` null: the store can't be trusted, so reads go to the
 * primary, or to a replica that has replayed the position in the client's token.
 */
export class ConsistencyView {
  /** Position of the last write of this request, which the client gets as its token. */
  written: Position | null = null;
  private held: { readonly intent: WriteIntent; readonly epoch: number; readonly setAt: number } | null =
    null;

  constructor(
    readonly userId: string,
    private readonly lastWrites: Map<string, LastWrite> | null,
    private readonly missing: LastWrite | null,
    private readonly minimumPosition: Position,
    private readonly token: Position | null,
  ) {}

  /**
   * What a read of the feature needs. A token stands in for the store except where it counts what others did to the
   * user (`isOwnOnly` false): that another device revoked this session is in no token of this one.
   */
  readRequirement(feature: string, isOwnOnly: boolean): ReadRequirement {
    const lastWrite = this.lastWriteOf(feature);
    if (lastWrite?.kind === 'known')
      return { kind: 'position', position: this.effective(lastWrite.position) };
    if (lastWrite === null && this.token !== null && isOwnOnly && this.written === null) {
      return { kind: 'position', position: this.token };
    }
    return { kind: 'primary', position: later(this.minimumPosition, this.token ?? this.minimumPosition) };
  }

  /** For a cache entry that is made of these features; null where nothing may be taken from a cache or put into one. */
  versionStampOf(features: readonly string[]): VersionStamp | null {
    const stamp: Position[] = [];
    for (const feature of features) {
      const lastWrite = this.lastWriteOf(feature);
      if (lastWrite?.kind !== 'known') return null;
      stamp.push(this.effective(lastWrite.position));
    }
    return stamp;
  }

  /** The features without a stored position and without a write under way: the primary's current position may be stored. */
  unsettled(features: readonly string[]): string[] {
    return features.filter((feature) => {
      const lastWrite = this.lastWriteOf(feature);
      return lastWrite?.kind === 'unknown' && lastWrite.isSettled;
    });
  }

  learn(feature: string, lastWrite: LastWrite): void {
    this.lastWrites?.set(feature, lastWrite);
  }

  /** The intent that the store announced when the request began, for its first write. */
  holdIntent(intent: WriteIntent, epoch: number): void {
    this.held = { intent, epoch, setAt: performance.now() };
  }

  /** That intent, if it is for this write, still fresh and not lost. The caller must finish it. */
  takeIntent(wanted: {
    feature: string;
    userId: string;
    maxAgeMs: number;
    epoch: number;
  }): WriteIntent | undefined {
    const { held } = this;
    if (held === null || held.epoch !== wanted.epoch) return undefined;
    const isOld = performance.now() - held.setAt > wanted.maxAgeMs;
    if (isOld || held.intent.feature !== wanted.feature || held.intent.userId !== wanted.userId)
      return undefined;
    return this.dropIntent();
  }

  /** The intent that no write has taken, which must then be withdrawn. */
  dropIntent(): WriteIntent | undefined {
    const intent = this.held?.intent;
    this.held = null;
    return intent;
  }

  /** A write of this request has committed: later reads of this request go to the primary. */
  wrote(feature: string, position: Position): void {
    this.written = later(position, this.written ?? position);
    this.lastWrites?.set(feature, { kind: 'writing' });
  }

  private lastWriteOf(feature: string): LastWrite | null {
    return this.lastWrites === null ? null : (this.lastWrites.get(feature) ?? this.missing);
  }

  private effective(lastWrite: Position): Position {
    return later(later(lastWrite, this.minimumPosition), this.token ?? lastWrite);
  }
}
