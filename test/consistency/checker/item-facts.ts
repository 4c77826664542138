import type { Operation } from './history.js';
import { dead, live, wrote, type Fact, type Statement } from './statements.js';

/**
 * Facts about the items of shared lists, from the operations of all users in the order of their start: what one user was told
 * holds for all who begin to read after that.
 */
export function itemFacts(operations: readonly Operation[]): readonly Fact[] {
  const known = placesByItem(operations);
  return operations.flatMap((operation) =>
    operation.kind === 'lists.read'
      ? ofList(operation, known)
      : statements(operation).map((statement) => ({ operation, key: keyOf(operation), statement })),
  );
}

/**
 * A read by place promises its reader's own writes alone: those of others are no lower bound, but they may have happened. So
 * these facts are about the item as one user sees it.
 */
export function ownItemFacts(operations: readonly Operation[]): readonly Fact[] {
  const readers = new Map<string, Set<string>>();
  for (const { kind, target, user } of operations) {
    if (kind !== 'items.by-place' || target === undefined) continue;
    readers.set(target, (readers.get(target) ?? new Set()).add(user));
  }
  return operations.flatMap((operation) =>
    [...(readers.get(operation.target ?? '') ?? [])].flatMap((reader) => {
      const key = `${keyOf(operation)} by place for ${reader}`;
      return seenBy(operation, reader).map((statement) => ({ operation, key, statement }));
    }),
  );
}

function seenBy(operation: Operation, reader: string): readonly Statement[] {
  const { kind, user, version } = operation;
  if (kind !== 'items.by-place') return written(operation, user === reader);
  if (user !== reader || version === undefined) return [];
  return [{ type: 'saw', rank: live(version), ...contentOf(operation), isNoBound: true }];
}

const keyOf = ({ target }: Operation): string => `item ${target ?? ''}`;

function statements(operation: Operation): readonly Statement[] {
  const { kind, version, status } = operation;
  if (kind === 'items.by-place') return [];
  if (kind.startsWith('items.') && status === 404) return [{ type: 'saw-dead' }];
  if (kind !== 'items.read') return written(operation, true);
  return version === undefined ? [] : [{ type: 'saw', rank: live(version), ...contentOf(operation) }];
}

function written(operation: Operation, isCertain: boolean): readonly Statement[] {
  const { kind, version } = operation;
  const isDeletion = kind === 'items.delete';
  if (!isDeletion && kind !== 'items.add' && kind !== 'items.patch' && kind !== 'items.move') return [];
  const known = kind === 'items.add' ? 1 : version;
  const rank = known === undefined ? null : isDeletion ? dead(known) : live(known);
  return wrote(operation, isDeletion ? 'dead' : 'live', rank, { isCertain }).map((statement) => ({
    ...statement,
    ...contentOf(operation),
  }));
}

const contentOf = ({ value, place }: Operation): { value?: string; place?: string } => ({
  ...(value !== undefined && { value }),
  ...(place !== undefined && { place }),
});

/** A list makes a statement about each item that it shows, and about each other one that was ever in it. */
function ofList(operation: Operation, known: ReadonlyMap<string, ReadonlySet<string>>): readonly Fact[] {
  const { items, target: place = '' } = operation;
  if (items === undefined) return [];
  const shown = items.map(({ origin, version, value }) => ({
    operation,
    key: `item ${origin}`,
    statement: { type: 'saw', rank: live(version), value, place },
  })) satisfies Fact[];
  const here = new Set(items.map(({ origin }) => origin));
  const others = [...known]
    .filter(([origin, places]) => places.has(place) && !here.has(origin))
    .map(([origin]) => ({
      operation,
      key: `item ${origin}`,
      statement: { type: 'saw-outside', place } as const,
    }));
  return [...shown, ...others];
}

/** The lists that each item is known to have been in. */
function placesByItem(operations: readonly Operation[]): ReadonlyMap<string, ReadonlySet<string>> {
  const places = new Map<string, Set<string>>();
  for (const { kind, target, list } of operations) {
    if (target === undefined || list === undefined || !kind.startsWith('items.')) continue;
    places.set(target, (places.get(target) ?? new Set()).add(list));
  }
  return places;
}
