import type { Protection } from './protections/names.js';
import type { RunOptions } from './runner.js';

/** Settings with which a missing protection causes a violation within seconds. */
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
/** One task per user: a client that reads it without a cache then finds an older version in a cached list. */
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
   * A process commits and crashes: a client that has seen the change then gets an older cached response. The process that
   * crashed before needs time to trust its caches again.
   */
  'write-intent': {
    ...common,
    weights: oneTask,
    rate: 120,
    faults: ['crash after COMMIT'],
    pace: { gapMs: [2000, 3000], overlap: 0 },
  },
  /** Invalidation messages arrive late or never. */
  'version-stamp': { ...common, faults: ['drop subscriptions'], pace: { gapMs: [50, 300], overlap: 0 } },
  /**
   * The last-write positions of the last seconds are lost, and older cache entries are back. They are used only after the
   * caches are trusted again. So it needs users who wrote in that time and have not written again by then: many users who
   * write rarely.
   */
  'minimum-position': {
    weights: { ...hotReads, patch: 10, 'profile.patch': 2, create: 3, delete: 2, restore: 1 },
    users: 20,
    rate: 90,
    tokens: 'off',
    faults: ['older Redis'],
    pace: { gapMs: [2500, 3500], overlap: 0 },
  },
  /** One process stores no positions, and the others do not know. */
  lease: { ...common, faults: ['cut p1 from Redis', 'lose packets of p1 to Redis'], pace: quick },
  /** A replica that has not replayed the last writes still serves reads. */
  'replica-position': { ...common, faults: ['pause the replay of', 'delay'], pace: quick },
};
