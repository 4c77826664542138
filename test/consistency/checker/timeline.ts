import { contradictions, effectOf, rivals } from './contradictions.js';
import type { Operation } from './history.js';
import { placesOf } from './places.js';
import { isLive, stateOf, type Fact, type Statement } from './statements.js';
import { violation, type Violation, type ViolationKind } from './violations.js';

type Wrote = Extract<Statement, { type: 'wrote' }>;

/** The minimum rank of something at a time, and the operation that proves it. */
interface LowerBound {
  readonly rank: number;
  readonly by: Operation | undefined;
  readonly isWrite: boolean;
}

export interface Judgement {
  readonly violations: readonly Violation[];
  /** By the id of each counting operation: whether it must have included this task, or may have. */
  readonly counts: ReadonlyMap<number, Count>;
}

export type Count = 'live' | 'dead' | 'either';

/** They leave what is deleted as it is. */
const keepsStateKinds = new Set(['patch', 'items.patch', 'items.move']);

const ground: LowerBound = { rank: 0, by: undefined, isWrite: false };

/**
 * Checks all statements about one register. What was acknowledged or seen before an operation began is a lower bound of
 * what it may see. Writes that may have happened before it ended explain anything that it sees above that bound.
 */
export function judge(key: string, facts: readonly Fact[]): Judgement {
  const timeline = new Timeline(key, facts);
  const { violations, counts } = timeline.sweep(facts);
  return { violations: [...violations, ...rivals(key, facts), ...contradictions(key, facts)], counts };
}

class Timeline {
  private readonly key: string;
  private readonly writes: readonly { readonly operation: Operation; readonly wrote: Wrote }[];
  private readonly places: ReadonlyMap<number, string>;

  constructor(key: string, facts: readonly Fact[]) {
    this.key = key;
    this.writes = facts.flatMap(({ operation, statement }) =>
      statement.type === 'wrote' ? [{ operation, wrote: statement }] : [],
    );
    this.places = placesOf(facts);
  }

  /** Processes the facts in order of time. Two operations that overlap have no order. */
  sweep(facts: readonly Fact[]): Judgement {
    const lowerBounds = new Map<Fact, LowerBound>();
    const violations: Violation[] = [];
    const counts = new Map<number, Count>();
    let lowerBound = ground;
    for (const { fact, isEnd } of eventsOf(facts)) {
      if (!isEnd) {
        lowerBounds.set(fact, lowerBound);
        continue;
      }
      const before = lowerBounds.get(fact) ?? ground;
      if (fact.statement.type === 'counted') counts.set(fact.operation.id, this.count(fact, before));
      const found = this.check(fact, before);
      // A wrong fact is no lower bound for later ones.
      if (found === null) lowerBound = higher(lowerBound, lowerBoundAfter(fact, before));
      else violations.push(found);
    }
    return { violations, counts };
  }

  private count(fact: Fact, { rank }: LowerBound): Count {
    const mayBeLive = (rank > 0 && isLive(rank)) || this.mayBe('live', fact, rank);
    const mayBeDead = rank === 0 || !isLive(rank) || this.mayBe('dead', fact, rank);
    return mayBeLive && mayBeDead ? 'either' : mayBeLive ? 'live' : 'dead';
  }

  private check(fact: Fact, lowerBound: LowerBound): Violation | null {
    const { statement, operation } = fact;
    const { rank } = lowerBound;
    switch (statement.type) {
      case 'wrote':
        return this.checkWrite(operation, statement, lowerBound);
      case 'saw':
        return this.checkSeen(fact, statement.rank, lowerBound);
      case 'saw-live':
        if (isLive(rank) || this.mayBe('live', fact, rank)) return null;
        return this.below(operation, 'it was taken for live', lowerBound);
      case 'saw-dead':
        if (rank === 0 || !isLive(rank) || this.mayBe('dead', fact, rank)) return null;
        return this.below(operation, 'it was not there', lowerBound);
      case 'saw-other':
        if (statement.rank !== rank || this.mayBe('live', fact, rank)) return null;
        return this.below(operation, `it was not ${stateOf(rank)}`, lowerBound);
      case 'saw-outside':
        if (this.places.get(rank) !== statement.place || this.mayHaveLeft(fact, rank)) return null;
        return this.below(operation, 'its list was without it', lowerBound);
      case 'counted':
        return null;
    }
  }

  /** Whether a deletion or a move, which makes a higher rank, may have happened before the end of the fact. */
  private mayHaveLeft({ operation: { completedAt } }: Fact, above: number): boolean {
    return this.writes.some(
      ({ operation, wrote }) =>
        (operation.kind === 'items.move' || operation.kind === 'items.delete') &&
        operation.invokedAt < completedAt &&
        (wrote.rank === null || wrote.rank > above),
    );
  }

  /** Whether a write to a higher rank, which makes it live or dead, may have happened before the end of the fact. */
  private mayBe(leadsTo: 'live' | 'dead', { operation: { completedAt } }: Fact, above: number): boolean {
    return this.writes.some(
      ({ operation, wrote }) =>
        wrote.leadsTo === leadsTo &&
        !keepsStateKinds.has(operation.kind) &&
        operation.invokedAt < completedAt &&
        (wrote.rank === null || wrote.rank > above),
    );
  }

  private checkWrite(
    operation: Operation,
    { rank, isAcknowledged }: Wrote,
    lowerBound: LowerBound,
  ): Violation | null {
    if (!isAcknowledged || rank === null || operation.isReplay === true) return null;
    const mayRepeat = operation.kind === 'create' || operation.version === undefined;
    if (rank > lowerBound.rank || (rank === lowerBound.rank && mayRepeat)) return this.above(operation, rank);
    const sentence = `${this.key}: a write made it ${stateOf(rank)} after it had been ${stateOf(lowerBound.rank)}`;
    return violation('lost write', sentence, [lowerBound.by, operation]);
  }

  private checkSeen(fact: Fact, rank: number, lowerBound: LowerBound): Violation | null {
    const { operation } = fact;
    const isUnasked = !isLive(rank) && rank > lowerBound.rank && !this.mayBe('dead', fact, rank - 1);
    if (rank < lowerBound.rank || isUnasked)
      return this.below(operation, `it was ${stateOf(rank)}`, lowerBound);
    return this.above(operation, rank);
  }

  private above(operation: Operation, rank: number): Violation | null {
    const tries = this.writes
      .filter(({ wrote }) => wrote.leadsTo === 'live')
      .map((write) => write.operation)
      .filter(({ invokedAt }) => invokedAt < operation.completedAt);
    const most = new Set(tries.map(effectOf)).size;
    if (rank <= 2 * most + 1) return null;
    const sentence = `${this.key}: it was ${stateOf(rank)}, though no more than ${most} writes may have happened`;
    return violation('duplicated effect', sentence, [...tries, operation]);
  }

  private below(operation: Operation, seen: string, lowerBound: LowerBound): Violation {
    const sentence = `${this.key}: ${seen} after it had been ${stateOf(lowerBound.rank)}`;
    return violation(kindOf(this.key, operation, lowerBound), sentence, [lowerBound.by, operation]);
  }
}

interface Event {
  readonly at: number;
  readonly fact: Fact;
  readonly isEnd: boolean;
}

function eventsOf(facts: readonly Fact[]): readonly Event[] {
  const begins = facts.map((fact) => ({ at: fact.operation.invokedAt, fact, isEnd: false }));
  const ends = facts.map((fact) => ({ at: fact.operation.completedAt, fact, isEnd: true }));
  return [...begins, ...ends].sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
}

function higher(a: LowerBound, b: LowerBound | null): LowerBound {
  if (b === null || b.rank < a.rank) return a;
  return b.rank > a.rank || (b.isWrite && !a.isWrite) ? b : a;
}

function lowerBoundAfter(
  { operation: by, statement }: Fact,
  { rank: before }: LowerBound,
): LowerBound | null {
  switch (statement.type) {
    case 'wrote': {
      if (!statement.isAcknowledged) return null;
      const next = before + (isLive(before) === (statement.leadsTo === 'live') ? 2 : 1);
      return { rank: statement.rank ?? next, by, isWrite: true };
    }
    case 'saw':
      return statement.isNoBound === true ? null : { rank: statement.rank, by, isWrite: false };
    case 'saw-live':
      return before === 0 ? null : { rank: before + (isLive(before) ? 0 : 1), by, isWrite: false };
    case 'saw-dead':
      return before === 0 ? null : { rank: before + (isLive(before) ? 1 : 0), by, isWrite: false };
    case 'saw-other':
    case 'saw-outside':
    case 'counted':
      return null;
  }
}

function kindOf(key: string, operation: Operation, lowerBound: LowerBound): ViolationKind {
  if (operation.isFinal === true) return 'lost write';
  if (key.startsWith('session ') && !isLive(lowerBound.rank)) return 'revoked token accepted';
  if (key.startsWith('membership of ') && !isLive(lowerBound.rank)) return 'removed member served';
  return lowerBound.isWrite ? 'stale read' : 'read going backwards';
}
