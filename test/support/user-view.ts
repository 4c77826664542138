import type { ConsistencyView } from '../../libs/platform/context/consistency-view.js';
import { userScope } from '../../libs/platform/context/scope.js';
import type { DataPath } from '../../libs/platform/data-path.js';

/** What a call of the user may rely on, as an adapter finds out at its beginning. */
export async function viewOfUser({ consistency }: DataPath, userId: string): Promise<ConsistencyView> {
  // Without Redis nothing may be relied on.
  const asked = consistency.store?.ask([userScope(userId)]).catch(() => null);
  const lastWrites = (await asked) ?? null;
  return consistency.viewOf(userId, lastWrites && new Map(lastWrites), []);
}
