import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BuildName } from '../builds/build.js';

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
  | 'password.change'
  | ListKind;

/** Of the shape `lists`. */
export type ListKind =
  | 'lists.create'
  | 'lists.read'
  | 'members.join'
  | 'members.leave'
  | 'members.read'
  | 'items.add'
  | 'items.patch'
  | 'items.move'
  | 'items.delete'
  | 'items.read'
  | 'items.by-place';

/** An operation that a client starts. */
export interface Call {
  readonly user: string;
  readonly client: string;
  /** The API process that is called; `primary` for the final reads by SQL on the primary. */
  readonly process: string;
  /** The build that the process runs, if the run has two. */
  readonly build?: BuildName;
  readonly kind: Kind;
  /** Session of the access token of the request. */
  readonly session?: string;
  /**
   * Of a task: its origin, a unique text that is set at its creation. Of a session, item or list: its id. Of a password: its
   * number.
   */
  readonly target?: string;
  /** Shared by all attempts of one effect: the Idempotency-Key, or the refresh token. */
  readonly group?: string;
  /** Version in the If-Match header. */
  readonly ifMatch?: number;
  /** The shared list whose membership or content it changes; of a move the one that the item goes to. */
  readonly list?: string;
  /** The user who joins or leaves a shared list. */
  readonly member?: string;
  /** Tag filter of a list. A task has the tag if its origin ends with `-` and the tag. */
  readonly filter?: string;
  /** A read on the primary after all faults have ended: what it does not show is lost. */
  readonly isFinal?: true;
}

/** A task in a list; in the final read of sessions a session, with its id as the origin. */
export interface Item {
  readonly origin: string;
  readonly taskId: string;
  readonly version: number;
  readonly value: string;
  readonly isDeleted?: boolean;
}

/**
 * `ok`: a 2xx or 304. `failed`: a write was not applied; a read proves nothing, or only what its status says.
 * `unknown`: only for writes. It may have been applied, or may still be.
 */
export type Outcome = 'ok' | 'failed' | 'unknown';

/** The result of an operation. */
export interface Answer {
  readonly outcome: Outcome;
  /** Missing if no response came. */
  readonly status?: number;
  /** `code` of a problem. */
  readonly code?: string;
  /** Version of the task or profile: after a write, as read, or from the ETag of a 412. */
  readonly version?: number;
  /** Title or name, unique for each write. */
  readonly value?: string;
  readonly taskId?: string;
  /** Session that a login created. */
  readonly opened?: string;
  readonly items?: readonly Item[];
  /** The shared list that the item is in. */
  readonly place?: string;
  /** False for a change of membership that changed nothing. */
  readonly isChanged?: boolean;
  /** The list is complete. */
  readonly isWhole?: boolean;
  readonly total?: number;
  /** The response is the stored one of an earlier attempt. */
  readonly isReplay?: true;
  /** An error of the response itself, such as a 500. */
  readonly problem?: string;
}

export interface Operation extends Call, Answer {
  readonly id: number;
  /** By `performance.now()` of the one driver process. */
  readonly invokedAt: number;
  readonly completedAt: number;
  /** Faults in progress at its start or end. */
  readonly faults: readonly string[];
}

/** All operations and their results, in the memory of the single driver process. */
export class History {
  private readonly done: Operation[] = [];
  private readonly pending = new Map<number, Operation>();
  private readonly faults: () => readonly string[];
  private lastId = 0;

  constructor(faults: () => readonly string[] = () => []) {
    this.faults = faults;
  }

  /** Records the start of the call, waits for its response and records that. */
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

  /** Includes operations in progress, because they may already have had their effect. */
  operations(): readonly Operation[] {
    return [...this.done, ...this.pending.values()];
  }

  async writeTo(path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const lines = this.operations().map((operation) => `${JSON.stringify(operation)}\n`);
    await writeFile(path, lines.join(''));
  }
}
