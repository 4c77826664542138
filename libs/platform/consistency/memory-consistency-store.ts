import { LRUCache } from 'lru-cache';
import { later, type Position } from '../positions/position.js';
import {
  Ledger,
  markTtlMs,
  type Beginning,
  type Limit,
  type LimitRecord,
  type Mark,
  type Note,
} from './consistency-store.port.js';
import type { LocalLimits } from './local-limits.js';

interface UserNotes {
  readonly positions: Map<string, Position>;
  /** By id: the feature, and until when it counts. */
  readonly marks: Map<string, { readonly feature: string; readonly until: number }>;
}

/** A user that is forgotten is unknown again, which costs a question to the primary. */
const mostUsers = 50_000;

/** The embedded driver: notes in this process, for a service that is no more than this process. */
export class MemoryLedger extends Ledger {
  readonly isShared = false;
  readonly isUp = true;
  readonly epoch = 0;
  readonly patienceMs = 1000;
  readonly upSince = performance.now();
  private readonly users = new LRUCache<string, UserNotes>({ max: mostUsers });

  constructor(
    private readonly limits: LocalLimits,
    private readonly onWrite: (userId: string, feature: string) => void,
  ) {
    super();
  }

  onChange(): void {
    // It never goes down.
  }

  untilUp(): Promise<boolean> {
    return Promise.resolve(true);
  }

  begin(limit: Limit, cost: number, mark: Mark | null, userId: string | null): Promise<Beginning> {
    const record = this.limits.count(limit, cost);
    const notes = userId === null ? new Map<string, Note>() : this.notesOf(userId);
    if (mark !== null && record.blockedMs === 0) this.setMark(mark);
    // Marks can not be lost here while a write is under way, so nothing has to settle.
    return Promise.resolve({ limit: record, notes, unnoted: { kind: 'unknown', isSettled: true } });
  }

  count(limit: Limit, cost: number): Promise<LimitRecord> {
    return Promise.resolve(this.limits.count(limit, cost));
  }

  refund(key: string, cost: number): Promise<void> {
    this.limits.refund(key, cost);
    return Promise.resolve();
  }

  mark(mark: Mark): Promise<void> {
    this.setMark(mark);
    return Promise.resolve();
  }

  finish({ userId, feature, id }: Mark, position: Position | null): Promise<void> {
    const user = this.of(userId);
    user.marks.delete(id);
    if (position !== null) {
      user.positions.set(feature, later(position, user.positions.get(feature) ?? position));
      this.onWrite(userId, feature);
    }
    return Promise.resolve();
  }

  settle(userId: string, feature: string, position: Position): Promise<Note> {
    const user = this.of(userId);
    if ([...user.marks.values()].some((mark) => mark.feature === feature))
      return Promise.resolve({ kind: 'marked' });
    const known = user.positions.get(feature) ?? position;
    user.positions.set(feature, known);
    return Promise.resolve({ kind: 'known', position: known });
  }

  private notesOf(userId: string): Map<string, Note> {
    const { positions, marks } = this.of(userId);
    const notes = new Map<string, Note>();
    for (const [feature, position] of positions) notes.set(feature, { kind: 'known', position });
    for (const { feature } of marks.values()) notes.set(feature, { kind: 'marked' });
    return notes;
  }

  private setMark({ userId, feature, id }: Mark): void {
    this.of(userId).marks.set(id, { feature, until: performance.now() + markTtlMs });
  }

  private of(userId: string): UserNotes {
    let user = this.users.get(userId);
    if (user === undefined) {
      user = { positions: new Map(), marks: new Map() };
      this.users.set(userId, user);
    }
    // What the write of a mark that is over came to is unknown.
    for (const [id, { feature, until }] of user.marks) {
      if (until >= performance.now()) continue;
      user.marks.delete(id);
      user.positions.delete(feature);
    }
    return user;
  }
}
