import type { Kind, Operation } from './history.js';

let lastId = 0;

/** An operation of user u from one time to another; by default an acknowledged one. */
export function operation(
  kind: Kind,
  [invokedAt, completedAt]: readonly [number, number],
  details: Partial<Operation> = {},
): Operation {
  return {
    id: (lastId += 1),
    user: 'u',
    client: 'u.a',
    process: 'p1',
    kind,
    invokedAt,
    completedAt,
    outcome: 'ok',
    faults: [],
    ...details,
  };
}

/** A list of tasks that are given as origin and version. */
export function list(
  times: readonly [number, number],
  shown: Readonly<Record<string, number>>,
  details: Partial<Operation> = {},
): Operation {
  const items = Object.entries(shown).map(([origin, version]) => ({
    origin,
    taskId: `id of ${origin}`,
    version,
    value: `${origin} at ${version}`,
  }));
  return operation('list', times, { items, isWhole: true, ...details });
}

/** A result that refuses it without an effect. */
export const refused = (status: number, code?: string): Partial<Operation> => ({
  outcome: 'failed',
  status,
  ...(code !== undefined && { code }),
});

export const unanswered: Partial<Operation> = { outcome: 'unknown' };
