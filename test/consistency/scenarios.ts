import type { Protection } from './cluster/cluster.js';
import type { RunOptions } from './runner.js';

/** Where a protection is missing, what makes that show within seconds. */
export interface Scenario extends Pick<RunOptions, 'weights' | 'pace' | 'users' | 'rate' | 'tokens'> {
  /** Words in the names of the faults. */
  readonly faults: readonly string[];
}

const rare = { refresh: 0, 'refresh twice': 0, logout: 0, 'logout.all': 0, 'password.change': 0 };
/** Reads that come from a cache, soon after writes of the same user through other processes. */
const hotReads = {
  ...rare,
  list: 40,
  'list filtered': 15,
  stats: 15,
  get: 20,
  patch: 30,
  'profile.get': 10,
};
/** One task a user: whoever gets it, past all caches, next finds it in a list from a cache. */
const oneTask = {
  ...rare,
  create: 0,
  delete: 0,
  restore: 0,
  patch: 8,
  get: 40,
  list: 50,
  'list filtered': 0,
  stats: 0,
  'profile.patch': 0,
  'sessions.list': 0,
  'sessions.end': 0,
};
const common = { weights: hotReads, users: 4, rate: 80, tokens: 'off' } as const;
const quick = { gapMs: [200, 1000], overlap: 0 } as const;

export const scenarios: Readonly<Record<Protection, Scenario>> = {
  /**
   * A process commits and dies: who has seen the change finds what was cached before it. The one that died before must
   * have had the time to trust its caches again.
   */
  mark: {
    ...common,
    weights: oneTask,
    rate: 120,
    faults: ['fail point'],
    pace: { gapMs: [2000, 3000], overlap: 0 },
  },
  /** Nobody is told to forget, or the telling comes late. */
  stamp: { ...common, faults: ['drop subscriptions'], pace: { gapMs: [50, 300], overlap: 0 } },
  /**
   * The notes of the last seconds are gone, and what was cached before them is back. It is used only once the caches are
   * trusted again, so it needs users who wrote meanwhile and have not written again by then: many, who write seldom.
   */
  floor: {
    weights: { ...hotReads, patch: 10, 'profile.patch': 2, create: 3, delete: 2, restore: 1 },
    users: 20,
    rate: 90,
    tokens: 'off',
    faults: ['older Redis'],
    pace: { gapMs: [2500, 3500], overlap: 0 },
  },
  /** One process leaves no notes, and the others don't know. */
  lease: { ...common, faults: ['cut p1 from Redis', 'lose packets of p1 to Redis'], pace: quick },
  /** A replica that shows nothing new is asked all the same. */
  'replica-position': { ...common, faults: ['pause the replay of', 'delay'], pace: quick },
};
