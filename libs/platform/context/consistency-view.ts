import { AsyncLocalStorage } from 'node:async_hooks';
import { later, type Position } from '../positions/position.js';
import type { WriteIntent, LastWrite } from '../consistency/consistency-store.port.js';

/** Where a read may go. */
export type ReadRequirement =
  /** To the primary alone, one that has come at least so far. */
  | { readonly kind: 'primary'; readonly position: Position }
  /** To whoever shows what was written up to there. */
  | { readonly kind: 'position'; readonly position: Position };

/** What was known when a cache entry began to be made: a position for each feature that went into it. */
export type VersionStamp = readonly Position[];

/**
 * What a request of a user may rely on, as of its beginning. `lastWrites` null: the store can't be trusted, so only the
 * primary knows, or a replica that the client's token proves good.
 */
export class ConsistencyView {
  /** Of the last write of this request: what the client gets as its token. */
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

  /** The features of which nothing is noted although no write is under way: the primary's position will do. */
  unsettled(features: readonly string[]): string[] {
    return features.filter((feature) => {
      const lastWrite = this.lastWriteOf(feature);
      return lastWrite?.kind === 'unknown' && lastWrite.isSettled;
    });
  }

  learn(feature: string, lastWrite: LastWrite): void {
    this.lastWrites?.set(feature, lastWrite);
  }

  /** A intent that the store set with the beginning of the request, for its first write. */
  holdIntent(intent: WriteIntent, epoch: number): void {
    this.held = { intent, epoch, setAt: performance.now() };
  }

  /** That intent, where it is for this write, has not grown old and was not lost. Whoever takes it sees to its end. */
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

  /** The intent that no write has taken, which then has to be taken away. */
  dropIntent(): WriteIntent | undefined {
    const intent = this.held?.intent;
    this.held = null;
    return intent;
  }

  /** A write of this request is done: what comes after it reads from the primary. */
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

export interface RequestScope {
  readonly request_id: string;
  view?: ConsistencyView;
}

/** What belongs to the request that is being served; nothing outside of requests. */
export const requestScope = new AsyncLocalStorage<RequestScope>();

export const currentView = (): ConsistencyView | undefined => requestScope.getStore()?.view;

/** By the request itself, for hooks that run outside of its handlers. */
const scopes = new WeakMap<object, RequestScope>();

export function openScope(request: { readonly id: string }, next: () => void): void {
  const scope: RequestScope = { request_id: request.id };
  scopes.set(request, scope);
  requestScope.run(scope, next);
}

export const scopeOf = (request: object): RequestScope | undefined => scopes.get(request);
