import type { Answer, Item, Kind, ListKind } from '../checker/history.js';

/** Allowed statuses of each kind of request, besides 401 for a token and 503 with `Retry-After`. */
export const listStatuses: Readonly<Record<ListKind, readonly number[]>> = {
  'lists.create': [201],
  'lists.read': [200, 403],
  'members.join': [200],
  'members.leave': [200],
  // The driver's own read on the primary.
  'members.read': [200],
  'items.add': [201, 403],
  'items.patch': [200, 403, 404],
  'items.move': [200, 403, 404],
  'items.delete': [200, 403, 404],
  'items.read': [200, 403, 404],
  'items.by-place': [200, 403, 404],
};

export const listReads: readonly ListKind[] = ['lists.read', 'members.read', 'items.read', 'items.by-place'];

export const isListKind = (kind: Kind): kind is ListKind => kind in listStatuses;

interface ListItem {
  readonly id: string;
  readonly list_id: string;
  readonly title: string;
  readonly version: number;
}

interface Body extends Partial<Omit<ListItem, 'id'>> {
  readonly items?: readonly ListItem[];
  readonly is_changed?: boolean;
}

/** The content of a list, an item or a membership. */
export function listContentOf(body: Body): Partial<Answer> {
  const { items, list_id, title, version, is_changed } = body;
  if (items !== undefined) return { items: items.map(itemOf), isWhole: true };
  return {
    ...(version !== undefined && { version }),
    ...(title !== undefined && { value: title }),
    ...(list_id !== undefined && { place: list_id }),
    ...(is_changed !== undefined && { isChanged: is_changed }),
  };
}

const itemOf = ({ id, version, title }: ListItem): Item => ({
  origin: id,
  taskId: id,
  version,
  value: title,
});
