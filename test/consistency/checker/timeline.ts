import { contradictions, effectOf, rivals } from './contradictions.js';
import type { Operation } from './history.js';
import { isLive, stateOf, type Fact, type Statement } from './statements.js';
import { violation, type Violation, type ViolationKind } from './violations.js';

type Wrote = Extract<Statement, { type: 'wrote' }>;

/** The least rank that something had at a time, and what tells so. */
interface Floor {
  readonly rank: number;
  readonly by: Operation | undefined;
  readonly isWrite: boolean;
}

export interface Judgement {
  readonly violations: readonly Violation[];
  /** By the id of each operation that counted: whether it must have counted this one, or may have. */
  readonly counts: ReadonlyMap<number, Count>;
}

export type Count = 'live' | 'dead' | 'either';

const ground: Floor = { rank: 0, by: undefined, isWrite: false };

/**
 * Judges all that is said of one register. What was acknowledged or seen before an operation began is a floor below
 * which it may see nothing; what may have been written before it ended explains what it sees above that.
 */
export function judge(key: string, facts: readonly Fact[]): Judgement {
  const timeline = new Timeline(key, facts);
  const { violations, counts } = timeline.sweep(facts);
  return { violations: [...violations, ...rivals(key, facts), ...contradictions(key, facts)], counts };
}

class Timeline {
  private readonly key: string;
  private readonly writes: readonly { readonly operation: Operation; readonly wrote: Wrote }[];

  constructor(key: string, facts: readonly Fact[]) {
    this.key = key;
    this.writes = facts.flatMap(({ operation, statement }) =>
      statement.type === 'wrote' ? [{ operation, wrote: statement }] : [],
    );
  }

  /** In the order of time. Of two that overlap neither comes before the other. */
  sweep(facts: readonly Fact[]): Judgement {
    const floors = new Map<Fact, Floor>();
    const violations: Violation[] = [];
    const counts = new Map<number, Count>();
    let floor = ground;
    for (const { fact, isEnd } of eventsOf(facts)) {
      if (!isEnd) {
        floors.set(fact, floor);
        continue;
      }
      const before = floors.get(fact) ?? ground;
      if (fact.statement.type === 'counted') counts.set(fact.operation.id, this.count(fact, before));
      const found = this.check(fact, before);
      // What is wrong itself is no measure for what comes after it.
      if (found === null) floor = higher(floor, floorAfter(fact, before));
      else violations.push(found);
    }
    return { violations, counts };
  }

  private count(fact: Fact, { rank }: Floor): Count {
    const mayBeLive = (rank > 0 && isLive(rank)) || this.mayBe('live', fact, rank);
    const mayBeDead = rank === 0 || !isLive(rank) || this.mayBe('dead', fact, rank);
    return mayBeLive && mayBeDead ? 'either' : mayBeLive ? 'live' : 'dead';
  }

  private check(fact: Fact, floor: Floor): Violation | null {
    const { statement, operation } = fact;
    const { rank } = floor;
    switch (statement.type) {
      case 'wrote':
        return this.checkWrite(operation, statement, floor);
      case 'saw':
        return this.checkSeen(fact, statement.rank, floor);
      case 'saw-live':
        if (isLive(rank) || this.mayBe('live', fact, rank)) return null;
        return this.below(operation, 'it was taken for live', floor);
      case 'saw-dead':
        if (rank === 0 || !isLive(rank) || this.mayBe('dead', fact, rank)) return null;
        return this.below(operation, 'it was not there', floor);
      case 'saw-other':
        if (statement.rank !== rank || this.mayBe('live', fact, rank)) return null;
        return this.below(operation, `it was not ${stateOf(rank)}`, floor);
      case 'counted':
        return null;
    }
  }

  /** Whether a write to above that rank, which makes it live or dead, may have happened before the fact's end. */
  private mayBe(leadsTo: 'live' | 'dead', { operation: { completedAt } }: Fact, above: number): boolean {
    return this.writes.some(
      ({ operation, wrote }) =>
        wrote.leadsTo === leadsTo &&
        // It brings nothing back.
        operation.kind !== 'patch' &&
        operation.invokedAt < completedAt &&
        (wrote.rank === null || wrote.rank > above),
    );
  }

  private checkWrite(operation: Operation, { rank, isAcknowledged }: Wrote, floor: Floor): Violation | null {
    if (!isAcknowledged || rank === null || operation.isReplay === true) return null;
    const mayRepeat = operation.kind === 'create' || operation.version === undefined;
    if (rank > floor.rank || (rank === floor.rank && mayRepeat)) return this.above(operation, rank);
    const sentence = `${this.key}: a write made it ${stateOf(rank)} after it had been ${stateOf(floor.rank)}`;
    return violation('lost write', sentence, [floor.by, operation]);
  }

  private checkSeen(fact: Fact, rank: number, floor: Floor): Violation | null {
    const { operation } = fact;
    const isUnasked = !isLive(rank) && rank > floor.rank && !this.mayBe('dead', fact, rank - 1);
    if (rank < floor.rank || isUnasked) return this.below(operation, `it was ${stateOf(rank)}`, floor);
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

  private below(operation: Operation, seen: string, floor: Floor): Violation {
    const sentence = `${this.key}: ${seen} after it had been ${stateOf(floor.rank)}`;
    return violation(kindOf(this.key, operation, floor), sentence, [floor.by, operation]);
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

function higher(a: Floor, b: Floor | null): Floor {
  if (b === null || b.rank < a.rank) return a;
  return b.rank > a.rank || (b.isWrite && !a.isWrite) ? b : a;
}

function floorAfter({ operation: by, statement }: Fact, { rank: before }: Floor): Floor | null {
  switch (statement.type) {
    case 'wrote': {
      if (!statement.isAcknowledged) return null;
      const next = before + (isLive(before) === (statement.leadsTo === 'live') ? 2 : 1);
      return { rank: statement.rank ?? next, by, isWrite: true };
    }
    case 'saw':
      return { rank: statement.rank, by, isWrite: false };
    case 'saw-live':
      return before === 0 ? null : { rank: before + (isLive(before) ? 0 : 1), by, isWrite: false };
    case 'saw-dead':
      return before === 0 ? null : { rank: before + (isLive(before) ? 1 : 0), by, isWrite: false };
    case 'saw-other':
    case 'counted':
      return null;
  }
}

function kindOf(key: string, operation: Operation, floor: Floor): ViolationKind {
  if (operation.isFinal === true) return 'lost write';
  if (key.startsWith('session ') && !isLive(floor.rank)) return 'revoked token accepted';
  return floor.isWrite ? 'stale read' : 'read going backwards';
}
