import type { DataPathParts } from '../../../libs/platform/data-path.js';
import type { Protection } from './names.js';
import { ConsistencyWithoutLeases, LeaseWithoutEffect } from './without-lease.js';
import { ConsistencyWithoutMinimum } from './without-minimum-position.js';
import { ServersWithoutPositions } from './without-replica-position.js';
import { CachesWithoutStamps } from './without-version-stamp.js';
import { StoreWithoutIntents } from './without-write-intent.js';

/** For each protection: the parts of a data path in which it is missing. */
export const partsWithout: Readonly<Record<Protection, Partial<DataPathParts>>> = {
  'write-intent': { RedisConsistencyStore: StoreWithoutIntents },
  'version-stamp': { Caches: CachesWithoutStamps },
  'minimum-position': { Consistency: ConsistencyWithoutMinimum },
  lease: { Lease: LeaseWithoutEffect, Consistency: ConsistencyWithoutLeases },
  'replica-position': { PostgresServers: ServersWithoutPositions },
};
