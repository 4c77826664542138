import type { ConsistencyView } from '../../libs/platform/context/consistency-view.js';
import { userScope, type Scope } from '../../libs/platform/context/scope.js';
import type { DataPath } from '../../libs/platform/data-path.js';

export interface Beginning {
  /** What the store is asked about besides the user's own scope. */
  readonly scopes?: readonly Scope[];
  /** Called when the store has answered: a process may be suspended there. */
  readonly onAnswered?: () => Promise<void>;
}

/** What a call of the user may rely on, as an adapter finds out at its beginning. */
export async function viewOfUser(
  { consistency }: DataPath,
  userId: string,
  { scopes = [], onAnswered }: Beginning = {},
): Promise<ConsistencyView> {
  const known = consistency.known();
  // Without Redis nothing may be relied on.
  const asked = consistency.store?.ask([userScope(userId), ...scopes]).catch(() => null);
  const lastWrites = (await asked) ?? null;
  await onAnswered?.();
  return consistency.viewOf(userId, known, lastWrites && new Map(lastWrites), []);
}
