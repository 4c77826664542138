import { AsyncLocalStorage } from 'node:async_hooks';
import { later, type Position } from '../positions/position.js';
import type { Mark, Note } from '../consistency/consistency-store.port.js';

/** Where a read may go. */
export type Need =
  /** To the primary alone, one that has come at least so far. */
  | { readonly kind: 'primary'; readonly position: Position }
  /** To whoever shows what was written up to there. */
  | { readonly kind: 'position'; readonly position: Position };

/** What was known when a cache entry began to be made: a position for each feature that went into it. */
export type Stamp = readonly Position[];

/**
 * What a request of a user may rely on, as of its beginning. `notes` null: the ledger can't be trusted, so only the
 * primary knows, or a replica that the client's token proves good.
 */
export class RequestView {
  /** Of the last write of this request: what the client gets as its token. */
  written: Position | null = null;
  private held: { readonly mark: Mark; readonly epoch: number; readonly setAt: number } | null = null;

  constructor(
    readonly userId: string,
    private readonly notes: Map<string, Note> | null,
    private readonly unnoted: Note | null,
    private readonly floor: Position,
    private readonly token: Position | null,
  ) {}

  /**
   * What a read of the feature needs. A token stands in for the ledger except where it counts what others did to the
   * user (`isOwnOnly` false): that another device revoked this session is in no token of this one.
   */
  needOf(feature: string, isOwnOnly: boolean): Need {
    const note = this.noteOf(feature);
    if (note?.kind === 'known') return { kind: 'position', position: this.effective(note.position) };
    if (note === null && this.token !== null && isOwnOnly && this.written === null) {
      return { kind: 'position', position: this.token };
    }
    return { kind: 'primary', position: later(this.floor, this.token ?? this.floor) };
  }

  /** For a cache entry that is made of these features; null where nothing may be taken from a cache or put into one. */
  stampOf(features: readonly string[]): Stamp | null {
    const stamp: Position[] = [];
    for (const feature of features) {
      const note = this.noteOf(feature);
      if (note?.kind !== 'known') return null;
      stamp.push(this.effective(note.position));
    }
    return stamp;
  }

  /** The features of which nothing is noted although no write is under way: the primary's position will do. */
  unsettled(features: readonly string[]): string[] {
    return features.filter((feature) => {
      const note = this.noteOf(feature);
      return note?.kind === 'unknown' && note.isSettled;
    });
  }

  learn(feature: string, note: Note): void {
    this.notes?.set(feature, note);
  }

  /** A mark that the ledger set with the beginning of the request, for its first write. */
  holdMark(mark: Mark, epoch: number): void {
    this.held = { mark, epoch, setAt: performance.now() };
  }

  /** That mark, where it is for this write, has not grown old and was not lost. Whoever takes it sees to its end. */
  takeMark(wanted: { feature: string; userId: string; maxAgeMs: number; epoch: number }): Mark | undefined {
    const { held } = this;
    if (held === null || held.epoch !== wanted.epoch) return undefined;
    const isOld = performance.now() - held.setAt > wanted.maxAgeMs;
    if (isOld || held.mark.feature !== wanted.feature || held.mark.userId !== wanted.userId) return undefined;
    return this.dropMark();
  }

  /** The mark that no write has taken, which then has to be taken away. */
  dropMark(): Mark | undefined {
    const mark = this.held?.mark;
    this.held = null;
    return mark;
  }

  /** A write of this request is done: what comes after it reads from the primary. */
  wrote(feature: string, position: Position): void {
    this.written = later(position, this.written ?? position);
    this.notes?.set(feature, { kind: 'marked' });
  }

  private noteOf(feature: string): Note | null {
    return this.notes === null ? null : (this.notes.get(feature) ?? this.unnoted);
  }

  private effective(note: Position): Position {
    return later(later(note, this.floor), this.token ?? note);
  }
}

export interface RequestScope {
  readonly request_id: string;
  view?: RequestView;
}

/** What belongs to the request that is being served; nothing outside of requests. */
export const requestScope = new AsyncLocalStorage<RequestScope>();

export const currentView = (): RequestView | undefined => requestScope.getStore()?.view;

/** By the request itself, for hooks that run outside of its handlers. */
const scopes = new WeakMap<object, RequestScope>();

export function openScope(request: { readonly id: string }, next: () => void): void {
  const scope: RequestScope = { request_id: request.id };
  scopes.set(request, scope);
  requestScope.run(scope, next);
}

export const scopeOf = (request: object): RequestScope | undefined => scopes.get(request);
