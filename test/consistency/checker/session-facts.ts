import type { Operation } from './history.js';
import { dead, live, wrote, type Fact, type Statement } from './statements.js';

/** No write takes effect later than this after it was sent, because the API's deadlines are shorter. */
const unknownBoundMs = 60_000;
const livingRank = live(1);
const revokedRank = dead(1);
const keyOf = (session: string): string => `session ${session}`;
/** Statuses that only an authenticated caller gets. */
const acceptedStatuses = new Set([200, 201, 204, 304, 403, 404, 409, 412]);

/** Facts about the sessions of a user, from the user's operations in the order of their start. */
export function sessionFacts(operations: readonly Operation[]): readonly Fact[] {
  const logins = new Map<string, Operation>();
  for (const operation of operations) {
    if (operation.opened !== undefined && operation.kind === 'login') logins.set(operation.opened, operation);
  }
  const uses = countUses(operations);
  return operations.flatMap((operation) => [
    ...opened(operation),
    ...ofBearer(operation, logins, (uses.get(operation.group ?? '') ?? 1) > 1),
    ...ofRevocation(operation, logins),
    ...ofList(operation, logins),
  ]);
}

/** How often each refresh token was sent. */
function countUses(operations: readonly Operation[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const { kind, group } of operations) {
    if (kind === 'refresh' && group !== undefined) uses.set(group, (uses.get(group) ?? 0) + 1);
  }
  return uses;
}

function fact(operation: Operation, session: string, statement: Statement): Fact {
  return { operation, key: keyOf(session), statement };
}

function opened(operation: Operation): readonly Fact[] {
  const { kind, opened: session } = operation;
  if (kind !== 'login' || session === undefined) return [];
  return wrote(operation, 'live', livingRank).map((statement) => fact(operation, session, statement));
}

/** A token was accepted or refused. */
function ofBearer(
  operation: Operation,
  logins: ReadonlyMap<string, Operation>,
  isShared: boolean,
): readonly Fact[] {
  const { kind, session, status, outcome, code } = operation;
  if (session === undefined || !logins.has(session)) return [];
  // A second use of a refresh token after the grace period ends its session.
  if (kind === 'refresh' && isShared && outcome !== 'ok') {
    const isAcknowledged = code === 'token_reused';
    return [fact(operation, session, { type: 'wrote', leadsTo: 'dead', rank: revokedRank, isAcknowledged })];
  }
  if (status === 401) return [fact(operation, session, { type: 'saw-dead' })];
  const isAccepted = status !== undefined && acceptedStatuses.has(status);
  return isAccepted ? [fact(operation, session, { type: 'saw-live' })] : [];
}

function ofRevocation(operation: Operation, logins: ReadonlyMap<string, Operation>): readonly Fact[] {
  const { kind, session, target, status } = operation;
  switch (kind) {
    case 'logout':
      return revoked(operation, session ?? '', logins);
    case 'sessions.end':
      if (status === 404) return [fact(operation, target ?? '', { type: 'saw-dead' })];
      return revoked(operation, target ?? '', logins);
    case 'logout.all':
      return [...logins.keys()].flatMap((each) => revoked(operation, each, logins));
    case 'password.change':
      return [...logins.keys()]
        .filter((each) => each !== session)
        .flatMap((each) => revoked(operation, each, logins));
    default:
      return [];
  }
}

/** It is unknown whether this also ends a session whose login overlapped it. */
function revoked(
  operation: Operation,
  session: string,
  logins: ReadonlyMap<string, Operation>,
): readonly Fact[] {
  const login = logins.get(session);
  const { outcome, invokedAt, completedAt } = operation;
  const end = outcome === 'ok' ? completedAt : invokedAt + unknownBoundMs;
  if (login === undefined || login.invokedAt >= end) return [];
  const isCertain = login.completedAt < invokedAt;
  const statements = wrote(operation, 'dead', revokedRank, { isCertain });
  return statements.map((statement) => fact(operation, session, statement));
}

function ofList(operation: Operation, logins: ReadonlyMap<string, Operation>): readonly Fact[] {
  if (operation.kind !== 'sessions.list' || operation.outcome !== 'ok') return [];
  const items = new Map((operation.items ?? []).map((item) => [item.origin, item]));
  return [...logins].flatMap(([session, login]) => {
    const item = items.get(session);
    if (item !== undefined) {
      const rank = item.isDeleted === true ? revokedRank : livingRank;
      return [fact(operation, session, { type: 'saw', rank })];
    }
    if (operation.isWhole !== true || login.invokedAt >= operation.completedAt) return [];
    return [fact(operation, session, { type: 'saw-dead' })];
  });
}
