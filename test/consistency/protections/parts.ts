import type { DataPathParts } from '../../../libs/platform/data-path.js';
import type { Protection } from './names.js';
import { TrustWithoutLeases, LeaseWithoutEffect } from './without-lease.js';
import { TrustWithoutMinimum } from './without-minimum-position.js';
import { TrustWithoutOwnersLeases, TrustWithoutOwnersMinimum } from './without-owner.js';
import { StoreWithoutOwnPositions } from './without-own-scope.js';
import { ServersWithoutAllMembers } from './without-all-members.js';
import { ServersWithoutPositions } from './without-replica-position.js';
import { StoreWithoutSharedPositions } from './without-scope-position.js';
import { CachesWithoutStamps } from './without-version-stamp.js';
import { StoreWithoutIntents } from './without-write-intent.js';

/** For each protection of the platform: the parts of a data path in which it is missing. */
export const partsWithout: Readonly<Partial<Record<Protection, Partial<DataPathParts>>>> = {
  'write-intent': { RedisConsistencyStore: StoreWithoutIntents },
  'version-stamp': { Caches: CachesWithoutStamps },
  'minimum-position': { DatabaseTrust: TrustWithoutMinimum },
  lease: { Lease: LeaseWithoutEffect, DatabaseTrust: TrustWithoutLeases },
  'replica-position': { PostgresServers: ServersWithoutPositions },
  'all-members': { PostgresServers: ServersWithoutAllMembers },
  'owner-lease': { DatabaseTrust: TrustWithoutOwnersLeases },
  'owner-minimum': { DatabaseTrust: TrustWithoutOwnersMinimum },
  'scope-position': { RedisConsistencyStore: StoreWithoutSharedPositions },
  'own-scope': { RedisConsistencyStore: StoreWithoutOwnPositions },
};
