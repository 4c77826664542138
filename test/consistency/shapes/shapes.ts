import { check } from '../checker/checker.js';
import type { History, Operation } from '../checker/history.js';
import { checkLists } from '../checker/list-checker.js';
import type { Violation } from '../checker/violations.js';
import type { Actor } from '../clients/actor.js';
import type { Caller } from '../clients/caller.js';
import { readFinally } from '../clients/final-read.js';
import { readListsFinally } from '../clients/list-final-read.js';
import { ListWorkload } from '../clients/list-workload.js';
import { Workload, type WorkloadOptions } from '../clients/workload.js';
import type { ApiProcess } from '../cluster/api-process.js';
import type { ShapeName } from './names.js';

/** The clients of a run. */
export interface Clients {
  readonly actors: readonly Actor[];
  /** Registers the users and logs them in. */
  prepare(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

export interface Servers {
  readonly processes: readonly ApiProcess[];
  /** URL of the database of a feature on its primary. */
  readonly primaryUrl: (feature: string) => string;
}

/** What the clients of a run do, and what is checked. */
export interface Shape {
  clients(options: WorkloadOptions, seed: number, caller: Caller, processes: readonly ApiProcess[]): ShapeRun;
  check(history: readonly Operation[]): readonly Violation[];
}

export interface ShapeRun {
  readonly clients: Clients;
  /** After all faults have ended: reads everything, through each process and on the primary itself. */
  readFinally(history: History, servers: Servers): Promise<void>;
}

const tasks: Shape = {
  clients(...given) {
    const clients = new Workload(...given);
    return {
      clients,
      readFinally: (history, { processes, primaryUrl }) =>
        readFinally(history, clients.actors, processes, primaryUrl),
    };
  },
  check,
};

const lists: Shape = {
  clients(...given) {
    const clients = new ListWorkload(...given);
    return {
      clients,
      readFinally: (history, { processes, primaryUrl }) =>
        readListsFinally(history, clients.board, processes, primaryUrl('shared_lists')),
    };
  },
  check: checkLists,
};

export const shapes: Readonly<Record<ShapeName, Shape>> = { tasks, split: tasks, lists };
