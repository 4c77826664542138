import { isSameDatabase, later, type Position } from '../positions/position.js';
import type { LastWrite, LastWrites, WriteIntent } from './last-write.js';
import { maxScopes, userScope, type Scope } from './scope.js';

/** Where a read may go. */
export type ReadRequirement =
  /** To the primary only, and only if it has reached `position`; null: whatever it has reached. */
  | { readonly kind: 'primary'; readonly position: Position | null }
  /** To any server that has replayed `position`. */
  | { readonly kind: 'position'; readonly position: Position };

/** What was known before a cache entry was computed: a position for each feature and scope that it depends on. */
export type VersionStamp = readonly Position[];

/** What a process knows of a database. */
export interface DatabaseView {
  /** The last-write positions of the store are complete, those above `minimum`. */
  readonly isTrusted: boolean;
  /** The minimum position has risen since the store was asked: what the client's token proves may be older than the answer. */
  readonly isRising?: boolean;
  /** Positions may be past a commit that nobody sees yet: what is read now would be cached as being past it. */
  readonly isCommitWaiting?: boolean;
  /** Nothing below it counts. Null: nothing is known of the database yet. */
  readonly minimum: Position | null;
}

export interface ViewOptions {
  readonly userId: string;
  /** The database that a feature stores its data in, as it was when the call began. */
  readonly databaseOf: (feature: string) => DatabaseView;
  /** Null: the store could not be asked. */
  readonly lastWrites: Map<Scope, LastWrites> | null;
  /** What the client's `Consistency-Token` proves: a position for each database. */
  readonly token?: readonly Position[];
  /** Epoch of the store when it was asked. */
  readonly epoch?: number;
}

/**
 * What a call of a user may rely on, as of its beginning. Where the store can't be trusted, reads go to the primary, or to a
 * replica that has replayed the position in the client's token.
 */
export class ConsistencyView {
  readonly userId: string;
  /** What the user sees. */
  readonly scope: Scope;
  readonly scopes: readonly [Scope];
  readonly epoch: number;
  readonly token: readonly Position[];
  /** The positions of the writes of this call, one for each database. */
  readonly written: Position[] = [];
  /** False: what the call reads shows more, or less, than it knows of. */
  private mayCache = true;
  private readonly databaseOf: (feature: string) => DatabaseView;
  private lastWrites: Map<Scope, LastWrites> | null;
  private held: { readonly intent: WriteIntent; readonly epoch: number; readonly setAt: number } | null =
    null;

  constructor({ userId, databaseOf, lastWrites, token = [], epoch = 0 }: ViewOptions) {
    this.userId = userId;
    this.scope = userScope(userId);
    this.scopes = [this.scope];
    this.databaseOf = databaseOf;
    this.lastWrites = lastWrites;
    this.token = token;
    this.epoch = epoch;
  }

  /**
   * What a read of these scopes of the feature needs. A token stands in for the store only for the user's own scope, and
   * not where others may change that (`isOwnOnly` false): that another device revoked this session is in no token of this
   * one.
   */
  readRequirement(feature: string, scopes: readonly Scope[], isOwnOnly: boolean): ReadRequirement {
    const { minimum, isRising = false } = this.databaseOf(feature);
    const token = this.tokenOf(minimum);
    const positions = this.positionsOf(feature, scopes);
    if (positions !== null) return { kind: 'position', position: latest(positions, token) };
    const isPrivate = isOwnOnly && scopes.every((scope) => scope === this.scope);
    if (token !== null && isPrivate && this.written.length === 0 && !this.isTrusted(feature) && !isRising)
      return { kind: 'position', position: token };
    return { kind: 'primary', position: minimum === null ? null : latest([minimum], token) };
  }

  /** All positions that are known of these scopes, whether they are complete or not. */
  known(feature: string, scopes: readonly Scope[]): readonly Position[] {
    const { minimum } = this.databaseOf(feature);
    const lastWrites = scopes.map((scope) => this.lastWriteOf(feature, scope));
    const stored = lastWrites.flatMap((each) => (each.kind === 'known' ? [each.position] : []));
    return [...stored, ...this.token, ...(minimum === null ? [] : [minimum])];
  }

  /** For a cache entry that is made of these; null where nothing may be taken from a cache or put into one. */
  versionStampOf(features: readonly string[], scopes: readonly Scope[]): VersionStamp | null {
    if (!this.mayCache) return null;
    const stamp: Position[] = [];
    for (const feature of features) {
      const positions = this.positionsOf(feature, scopes);
      if (positions === null) return null;
      const token = this.tokenOf(this.databaseOf(feature).minimum);
      for (const position of positions) stamp.push(latest([position], token));
    }
    return stamp;
  }

  /** Whether what the call reads of these features may be put into a cache, where it has a stamp. */
  mayFill(features: readonly string[]): boolean {
    return features.every((feature) => this.databaseOf(feature).isCommitWaiting !== true);
  }

  /** What the client's next token proves: the writes of this call, and for other databases what its token proved before. */
  get proven(): readonly Position[] {
    const others = this.token.filter((old) => !this.written.some((each) => isSameDatabase(each, old)));
    return [...this.written, ...others];
  }

  /** The store was asked about all of the scopes, and there is nothing to settle: so it is in most calls. */
  isPrepared(features: readonly string[], scopes: readonly Scope[]): boolean {
    const { lastWrites } = this;
    if (lastWrites === null) return true;
    for (const scope of scopes) {
      if (!lastWrites.has(scope)) return false;
      for (const feature of features) if (this.lastWriteOf(feature, scope).kind === 'unknown') return false;
    }
    return true;
  }

  /** Those that the store was not asked about. */
  unasked(scopes: readonly Scope[]): Scope[] {
    if (scopes.length > maxScopes) throw new Error(`A call depends on ${maxScopes} scopes at most.`);
    const { lastWrites } = this;
    return lastWrites === null ? [] : scopes.filter((scope) => !lastWrites.has(scope));
  }

  /** The scopes without a stored position and without a write under way: the primary's current position may be stored. */
  unsettled(feature: string, scopes: readonly Scope[]): Scope[] {
    if (!this.isTrusted(feature)) return [];
    return scopes.filter((scope) => {
      const lastWrite = this.lastWriteOf(feature, scope);
      return lastWrite.kind === 'unknown' && lastWrite.isSettled;
    });
  }

  learn(scope: Scope, lastWrites: LastWrites): void {
    this.lastWrites?.set(scope, lastWrites);
  }

  learnOne(feature: string, scope: Scope, lastWrite: LastWrite): void {
    const { byFeature = [], missing = unsettled } = this.lastWrites?.get(scope) ?? {};
    this.learn(scope, { byFeature: new Map([...byFeature, [feature, lastWrite]]), missing });
  }

  /** A read of the call came from where it is not known which writes are under way: nothing of the call may be cached. */
  forbidCaching(): void {
    this.mayCache = false;
  }

  /** The store can't be trusted any more. */
  distrust(): void {
    this.lastWrites = null;
  }

  /** The intent that the store announced when the request began, for its first write. */
  holdIntent(intent: WriteIntent, epoch: number): void {
    this.held = { intent, epoch, setAt: performance.now() };
  }

  /** That intent, if it is for this write, still fresh and not lost. The caller must finish it. */
  takeIntent(wanted: {
    feature: string;
    scope: Scope;
    maxAgeMs: number;
    epoch: number;
  }): { readonly intent: WriteIntent; readonly announcedAt: number } | undefined {
    const { held } = this;
    if (held === null || held.epoch !== wanted.epoch) return undefined;
    const isOld = performance.now() - held.setAt > wanted.maxAgeMs;
    if (isOld || held.intent.feature !== wanted.feature || held.intent.scope !== wanted.scope)
      return undefined;
    this.held = null;
    return { intent: held.intent, announcedAt: held.setAt };
  }

  /** The intent that no write has taken, which must then be withdrawn. */
  dropIntent(): WriteIntent | undefined {
    const intent = this.held?.intent;
    this.held = null;
    return intent;
  }

  /** A write of this call to these scopes has committed: later reads of them by this call go to the primary. */
  wrote(feature: string, scopes: readonly Scope[], position: Position): void {
    const known = this.written.findIndex((each) => isSameDatabase(each, position));
    if (known < 0) this.written.push(position);
    else this.written[known] = later(position, this.written[known] ?? position);
    for (const scope of scopes) this.learnOne(feature, scope, { kind: 'writing' });
  }

  private isTrusted(feature: string): boolean {
    return this.lastWrites !== null && this.databaseOf(feature).isTrusted;
  }

  /** Null where one of them is not known. */
  private positionsOf(feature: string, scopes: readonly Scope[]): Position[] | null {
    const { isTrusted, minimum } = this.databaseOf(feature);
    if (!isTrusted || minimum === null || this.lastWrites === null) return null;
    const positions: Position[] = [];
    for (const scope of scopes) {
      const lastWrite = this.lastWriteOf(feature, scope);
      if (lastWrite.kind !== 'known') return null;
      positions.push(later(lastWrite.position, minimum));
    }
    return positions;
  }

  /** A position of another database says nothing about this one. Its intents are not lost, so it may be replaced at once. */
  private lastWriteOf(feature: string, scope: Scope): LastWrite {
    const known = this.lastWrites?.get(scope);
    const lastWrite = known?.byFeature.get(feature) ?? known?.missing ?? unsettled;
    const { minimum } = this.databaseOf(feature);
    const isForeign =
      lastWrite.kind === 'known' && minimum !== null && !isSameDatabase(lastWrite.position, minimum);
    return isForeign ? { kind: 'unknown', isSettled: true } : lastWrite;
  }

  private tokenOf(minimum: Position | null): Position | null {
    return minimum === null ? null : (this.token.find((each) => isSameDatabase(each, minimum)) ?? null);
  }
}

const unsettled: LastWrite = { kind: 'unknown', isSettled: false };

function latest(positions: readonly Position[], token: Position | null): Position {
  const all = token === null ? positions : [...positions, token];
  return all.reduce(later);
}
