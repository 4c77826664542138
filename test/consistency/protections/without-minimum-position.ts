import { Consistency } from '../../../libs/platform/consistency/consistency.js';
import { origin, type Position } from '../../../libs/platform/positions/position.js';

/** Trusts old positions, cache entries and replicas even after it may have missed writes. */
export class ConsistencyWithoutMinimum extends Consistency {
  protected override minimumFor(): Position {
    return origin;
  }
}
