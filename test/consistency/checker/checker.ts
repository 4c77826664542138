import { factsByKey } from './facts.js';
import type { Operation } from './history.js';
import { judge, type Count } from './timeline.js';
import { violation, type Violation } from './violations.js';

/**
 * Finds the consistency promises that a history breaks: acknowledged writes that were lost, reads that are older than an
 * acknowledged write of the same user or than an earlier read, duplicated effects, revoked tokens that were accepted, and
 * responses that are wrong in themselves. It raises no false alarm: what overlapping calls or calls with an unknown outcome
 * can explain is no violation.
 */
export function check(history: readonly Operation[]): readonly Violation[] {
  const users = Map.groupBy(history, ({ user }) => user);
  return [...users.values()].flatMap((operations) => [
    ...brokenAnswers(operations),
    ...checkUser(operations),
  ]);
}

function checkUser(operations: readonly Operation[]): readonly Violation[] {
  const judgements = [...factsByKey(operations)].map(([key, facts]) => judge(key, facts));
  return [
    ...judgements.flatMap(({ violations }) => violations),
    ...wrongTotals(
      operations,
      judgements.map(({ counts }) => counts),
    ),
    ...twins(operations),
    ...wrongRotations(operations),
  ];
}

export function brokenAnswers(operations: readonly Operation[]): readonly Violation[] {
  return operations
    .filter(({ problem }) => problem !== undefined)
    .map((operation) => violation('broken answer', operation.problem ?? '', [operation]));
}

function wrongTotals(
  operations: readonly Operation[],
  counts: readonly ReadonlyMap<number, Count>[],
): readonly Violation[] {
  return operations.flatMap((operation) => {
    const { total, id } = operation;
    if (total === undefined) return [];
    const states = counts.map((each) => each.get(id));
    const least = states.filter((state) => state === 'live').length;
    const most = states.filter((state) => state === 'live' || state === 'either').length;
    if (total >= least && total <= most) return [];
    const sentence = `statistics: ${total} tasks were counted, where it must have been ${least} to ${most}`;
    return [violation('stale read', sentence, [operation])];
  });
}

/** Any number of attempts with one Idempotency-Key create one task. */
function twins(operations: readonly Operation[]): readonly Violation[] {
  const known = new Map<string, { readonly taskId: string; readonly operation: Operation }>();
  const found = new Map<string, Violation>();
  for (const operation of operations) {
    for (const [origin, taskId] of tasksIn(operation)) {
      const other = known.get(origin);
      if (other === undefined) known.set(origin, { taskId, operation });
      else if (other.taskId !== taskId && !found.has(origin)) {
        const sentence = `task ${origin}: its one creation made ${other.taskId} and ${taskId}`;
        found.set(origin, violation('duplicated effect', sentence, [other.operation, operation]));
      }
    }
  }
  return [...found.values()];
}

function tasksIn({ kind, target, taskId, items }: Operation): readonly (readonly [string, string])[] {
  if (kind === 'list') return (items ?? []).map((item) => [item.origin, item.taskId] as const);
  return target !== undefined && taskId !== undefined ? [[target, taskId]] : [];
}

/** A refresh token is exchanged once, and a client that uses it alone is not refused because of a race. */
function wrongRotations(operations: readonly Operation[]): readonly Violation[] {
  const refreshes = operations.filter(({ kind }) => kind === 'refresh');
  return [...Map.groupBy(refreshes, ({ group }) => group).values()].flatMap((uses) => {
    const exchanged = uses.filter(({ outcome }) => outcome === 'ok');
    if (exchanged.length > 1) {
      return [violation('duplicated effect', 'a refresh token was exchanged twice', exchanged)];
    }
    const refused = uses.filter(({ code }) => code === 'refresh_superseded' || code === 'token_reused');
    if (uses.length > 1 || refused.length === 0) return [];
    return [violation('duplicated effect', 'a refresh token was used up by nobody', refused)];
  });
}
