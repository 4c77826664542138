import { DatabaseTrust, type DatabaseReport } from '../../../libs/platform/consistency/database-trust.js';
import { databaseOf, originOf, type Position } from '../../../libs/platform/positions/position.js';

/** Sees leases only in its own database, not in those that it relies on. */
export class TrustWithoutOwnersLeases extends DatabaseTrust {
  protected override isLeased(report: DatabaseReport): boolean {
    return !this.isRemote && super.isLeased(report);
  }
}

/** Raises the minimum position only of its own database. */
export class TrustWithoutOwnersMinimum extends DatabaseTrust {
  protected override minimumFor(position: Position): Position {
    return this.isRemote ? originOf(databaseOf(position)) : super.minimumFor(position);
  }
}
