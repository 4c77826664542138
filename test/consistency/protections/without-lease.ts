import { DatabaseTrust } from '../../../libs/platform/consistency/database-trust.js';
import { Lease } from '../../../libs/platform/consistency/lease.js';

/** Writes without Redis and without a lease, so that no other process knows. */
export class LeaseWithoutEffect extends Lease {
  override hold(): void {
    // Takes no lease.
  }

  override isEffective(): boolean {
    return true;
  }

  override confirm(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

/** Uses caches although another process writes without Redis. */
export class TrustWithoutLeases extends DatabaseTrust {
  protected override isLeased(): boolean {
    return false;
  }
}
