import type { Operation } from './history.js';
import { dead, live, wrote, type Fact, type Statement } from './statements.js';

const keyOf = (origin: string): string => `task ${origin}`;

/** Facts about the tasks of a user, from the user's operations in the order of their start. */
export function taskFacts(operations: readonly Operation[]): readonly Fact[] {
  const created = new Map<string, Operation>();
  for (const operation of operations) {
    if (operation.kind !== 'create' || operation.target === undefined) continue;
    if (!created.has(operation.target)) created.set(operation.target, operation);
  }
  return operations.flatMap((operation) =>
    operation.kind === 'list' || operation.kind === 'stats'
      ? overall(operation, created)
      : statements(operation).map((statement) => ({
          operation,
          key: keyOf(operation.target ?? ''),
          statement,
        })),
  );
}

function statements(operation: Operation): readonly Statement[] {
  const { kind, version, value, ifMatch, status } = operation;
  const next = version ?? (ifMatch === undefined ? undefined : ifMatch + 1);
  switch (kind) {
    case 'create':
      return wrote(operation, 'live', live(1), { value });
    case 'patch':
      if (status === 404) return [{ type: 'saw-dead' }];
      if (status === 412) return saw(version, live);
      return wrote(operation, 'live', next === undefined ? null : live(next), { value });
    case 'delete':
      if (status === 404) return [{ type: 'saw-dead' }];
      if (status === 412) return saw(version, live);
      return wrote(operation, 'dead', ifMatch === undefined ? null : dead(ifMatch));
    case 'restore':
      if (status === 404) return [{ type: 'saw', rank: 0 }];
      if (operation.code === 'task_not_deleted') return [{ type: 'saw-live' }];
      if (status === 412) return saw(version, dead);
      return wrote(operation, 'live', next === undefined ? null : live(next), { value });
    case 'get':
      return status === 404 ? [{ type: 'saw-dead' }] : saw(version, live, value);
    default:
      return [];
  }
}

function saw(
  version: number | undefined,
  rank: (version: number) => number,
  value?: string,
): readonly Statement[] {
  if (version === undefined) return [];
  return [{ type: 'saw', rank: rank(version), ...(value !== undefined && { value }) }];
}

/** A list or a count makes a statement about each task that may have existed. */
function overall(operation: Operation, created: ReadonlyMap<string, Operation>): readonly Fact[] {
  if (operation.outcome !== 'ok') return [];
  const shown = (operation.items ?? []).map(({ origin, version, value, isDeleted }) => ({
    operation,
    key: keyOf(origin),
    statement: { type: 'saw', rank: isDeleted === true ? dead(version) : live(version), value },
  })) satisfies Fact[];
  if (operation.kind === 'list' && operation.isWhole !== true) return shown;
  const items = new Set(operation.items?.map(({ origin }) => origin));
  const others = [...created]
    .filter(([origin, { invokedAt }]) => invokedAt < operation.completedAt && !items.has(origin))
    .filter(([origin]) => operation.filter === undefined || origin.endsWith(`-${operation.filter}`))
    .map(([origin]) => ({ operation, key: keyOf(origin), statement: ofOther(operation) }));
  return [...shown, ...others];
}

function ofOther({ kind, isFinal }: Operation): Statement {
  if (kind === 'stats') return { type: 'counted' };
  return isFinal === true ? { type: 'saw', rank: 0 } : { type: 'saw-dead' };
}
