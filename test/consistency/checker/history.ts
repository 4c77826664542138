import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export type Kind =
  | 'register'
  | 'create'
  | 'patch'
  | 'delete'
  | 'restore'
  | 'get'
  | 'list'
  | 'stats'
  | 'profile.get'
  | 'profile.patch'
  | 'login'
  | 'refresh'
  | 'logout'
  | 'logout.all'
  | 'sessions.list'
  | 'sessions.end'
  | 'password.change';

/** What a client is about to do. */
export interface Call {
  readonly user: string;
  readonly client: string;
  /** Which process of the API is asked; `primary` for what the driver reads there by SQL at the end. */
  readonly process: string;
  readonly kind: Kind;
  /** Session of the access token that goes with it. */
  readonly session?: string;
  /** Task: the origin, a unique text that its creation put into it. Session: its id. Password: its number. */
  readonly target?: string;
  /** Tries of one effect share it: the Idempotency-Key, or the refresh token. */
  readonly group?: string;
  /** Version that an If-Match names. */
  readonly ifMatch?: number;
  /** Tag that a list is filtered by: that of the tasks whose origin ends with `-` and it. */
  readonly filter?: string;
  /** Read on the primary after everything was healed: what it doesn't show is lost. */
  readonly isFinal?: true;
}

/** A task in a list. In the final read of sessions a session: its id as the origin. */
export interface Item {
  readonly origin: string;
  readonly taskId: string;
  readonly version: number;
  readonly value: string;
  readonly isDeleted?: boolean;
}

/**
 * `ok`: a 2xx (or 304). `failed`: known not to have been applied; of a read: it says nothing, or what its status says.
 * `unknown`: of a write only. It may have been applied, or will be.
 */
export type Outcome = 'ok' | 'failed' | 'unknown';

/** What came of it. */
export interface Answer {
  readonly outcome: Outcome;
  /** None where no answer came. */
  readonly status?: number;
  /** `code` of a problem. */
  readonly code?: string;
  /** Of the task or profile: after a write, as read, or as the ETag of a 412 says. */
  readonly version?: number;
  /** Title or name, unique to each write. */
  readonly value?: string;
  readonly taskId?: string;
  /** Session that a login began. */
  readonly opened?: string;
  readonly items?: readonly Item[];
  /** The list shows all there is. */
  readonly isWhole?: boolean;
  readonly total?: number;
  /** The stored answer of an earlier try. */
  readonly isReplay?: true;
  /** What is wrong with the answer as such, such as a 500. */
  readonly problem?: string;
}

export interface Operation extends Call, Answer {
  readonly id: number;
  /** By `performance.now()` of the one driver process. */
  readonly invokedAt: number;
  readonly completedAt: number;
  /** Faults under way when it began or ended. */
  readonly faults: readonly string[];
}

/** What was done and seen, in the memory of the one driver process. */
export class History {
  private readonly done: Operation[] = [];
  private readonly pending = new Map<number, Operation>();
  private readonly faults: () => readonly string[];
  private lastId = 0;

  constructor(faults: () => readonly string[] = () => []) {
    this.faults = faults;
  }

  /** Notes the call as begun, waits for its answer and notes that. */
  async record<T extends Answer>(call: Call, run: () => Promise<T>): Promise<T> {
    const id = (this.lastId += 1);
    const begun = { id, invokedAt: performance.now(), completedAt: Infinity, faults: this.faults() };
    this.pending.set(id, { ...call, ...begun, outcome: 'unknown' });
    const answer = await run();
    const faults = [...new Set([...begun.faults, ...this.faults()])];
    this.done.push({ ...call, ...answer, ...begun, completedAt: performance.now(), faults });
    this.pending.delete(id);
    return answer;
  }

  /** What is still under way is in it as well: it may have had its effect already. */
  operations(): readonly Operation[] {
    return [...this.done, ...this.pending.values()];
  }

  async writeTo(path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const lines = this.operations().map((operation) => `${JSON.stringify(operation)}\n`);
    await writeFile(path, lines.join(''));
  }
}
