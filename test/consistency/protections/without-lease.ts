import { Consistency } from '../../../libs/platform/consistency/consistency.js';
import { Lease } from '../../../libs/platform/consistency/lease.js';

/** Writes without Redis and without a lease, so that no other process knows. */
export class LeaseWithoutEffect extends Lease {
  override hold(): void {
    // Takes no lease.
  }

  override isEffective(): boolean {
    return true;
  }
}

/** Uses caches although another process writes without Redis. */
export class ConsistencyWithoutLeases extends Consistency {
  protected override othersHoldLease(): boolean {
    return false;
  }
}
