import type { Redis } from 'ioredis';
import type { ConsistencyStore } from '../../libs/platform/consistency/consistency-store.port.js';
import type { Scope } from '../../libs/platform/context/scope.js';
import { databaseOf, progressOf, type Position } from '../../libs/platform/positions/position.js';
import { OldStore } from './old-store-fixture.js';

export const feature = 'tasks';
const settleMs = 1000;

/** What a reader found: a position to rely on, or that a write is under way, or since when nothing is known. */
export type Found =
  | { readonly kind: 'known'; readonly lsn: number }
  | { readonly kind: 'writing' }
  | { readonly kind: 'unknown'; readonly isSettled: boolean };

/** The part of the store that readers and writers of one version use. `database` is the id as the process knows it. */
export interface Side {
  announce(id: string): Promise<void>;
  finish(id: string, lsn: number, database: string): Promise<void>;
  ask(database: string): Promise<Found>;
  settle(lsn: number, database: string): Promise<Found>;
}

export const progressAt = (lsn: number): string => `00000001${lsn.toString(16).padStart(16, '0')}`;
const lsnIn = (progress: string): number => Number.parseInt(progress.slice(8), 16);
const known = (progress: string): Found => ({ kind: 'known', lsn: lsnIn(progress) });

/** The store as it is now. */
export function newSide(store: ConsistencyStore, scope: Scope): Side {
  const intentOf = (id: string) => ({ scope, feature, id });
  const foundIn = (position: Position, database: string): Found =>
    databaseOf(position) === database ? known(progressOf(position)) : { kind: 'unknown', isSettled: true };
  return {
    announce: (id) => store.announce([intentOf(id)]),
    finish: (id, lsn, database) => store.finish([intentOf(id)], database + progressAt(lsn)),
    ask: async (database) => {
      const found = (await store.ask([scope])).get(scope);
      const lastWrite = found?.byFeature.get(feature) ?? found?.missing ?? { kind: 'writing' };
      return lastWrite.kind === 'known' ? foundIn(lastWrite.position, database) : lastWrite;
    },
    settle: async (lsn, database) => {
      const lastWrite = await store.settle(scope, feature, database + progressAt(lsn));
      return lastWrite.kind === 'known' ? foundIn(lastWrite.position, database) : lastWrite;
    },
  };
}

/** The store of version 0.1, which knows no databases. */
export function oldSide(redis: Redis, key: string): Side {
  const store = new OldStore(redis, key, feature);
  return {
    announce: (id) => store.announce(id),
    finish: (id, lsn) => store.finish(id, progressAt(lsn)),
    ask: async () => {
      const found = await store.ask();
      if (found === 'writing') return { kind: 'writing' };
      return typeof found === 'string' ? known(found) : { kind: 'unknown', isSettled: found >= settleMs };
    },
    settle: async (lsn) => {
      const progress = await store.settle(progressAt(lsn));
      return progress === '' ? { kind: 'writing' } : known(progress);
    },
  };
}
