import type { Operation } from './history.js';
import { dead, live, wrote, type Fact, type Statement } from './statements.js';

/**
 * Facts about who is a member of which shared list, from the operations of all users in the order of their start. The version
 * of a membership counts how often the user has joined.
 */
export function membershipFacts(operations: readonly Operation[]): readonly Fact[] {
  return operations.flatMap((operation) => [
    ...ofChange(operation),
    ...ofAccess(operation),
    ...ofRead(operation),
  ]);
}

const fact = (operation: Operation, list: string, user: string, statement: Statement): Fact => ({
  operation,
  key: `membership of ${user} in ${list}`,
  statement,
});

function ofChange(operation: Operation): readonly Fact[] {
  const { kind, list = '', member = '', version, isChanged } = operation;
  if (kind === 'lists.create')
    return wrote(operation, 'live', live(1)).map((statement) => fact(operation, list, member, statement));
  if (kind !== 'members.join' && kind !== 'members.leave') return [];
  const isJoin = kind === 'members.join';
  const rank = version === undefined ? null : isJoin ? live(version) : dead(version);
  if (isChanged === false) {
    // Someone who leaves without ever having joined.
    return rank === null || version === 0 ? [] : [fact(operation, list, member, { type: 'saw', rank })];
  }
  const statements = wrote(operation, isJoin ? 'live' : 'dead', rank);
  return statements.map((statement) => fact(operation, list, member, statement));
}

/** Whoever sees or changes something of a list was taken for a member, and whoever is refused was not. */
function ofAccess(operation: Operation): readonly Fact[] {
  const { kind, user, target = '', list, place, code, outcome, isFinal } = operation;
  const asked = kind === 'lists.read' ? target : kind === 'items.add' ? list : undefined;
  if (isFinal === true) return [];
  if (code === 'not_a_member')
    return asked === undefined ? [] : [fact(operation, asked, user, { type: 'saw-dead' })];
  const shown = asked ?? (kind.startsWith('items.') ? place : undefined);
  if (outcome !== 'ok' || shown === undefined) return [];
  return [fact(operation, shown, user, { type: 'saw-live' })];
}

/** The final read of the memberships of a list. */
function ofRead(operation: Operation): readonly Fact[] {
  const { kind, target = '', items = [] } = operation;
  if (kind !== 'members.read') return [];
  return items.map(({ origin, version, isDeleted }) =>
    fact(operation, target, origin, {
      type: 'saw',
      rank: isDeleted === true ? dead(version) : live(version),
    }),
  );
}
