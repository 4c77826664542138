import { DatabaseTrust } from '../../../libs/platform/consistency/database-trust.js';
import { databaseOf, originOf, type Position } from '../../../libs/platform/positions/position.js';

/** Trusts old positions, cache entries and replicas even after it may have missed writes. */
export class TrustWithoutMinimum extends DatabaseTrust {
  protected override minimumFor(position: Position): Position {
    return originOf(databaseOf(position));
  }
}
