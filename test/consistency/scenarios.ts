import type { Protection } from './protections/names.js';
import type { RunOptions } from './runner.js';

/** Settings with which a missing protection causes a violation within seconds. */
export interface Scenario extends Pick<
  RunOptions,
  'weights' | 'pace' | 'users' | 'rate' | 'tokens' | 'shape' | 'lists' | 'itemsAtStart'
> {
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
/** Few users and lists, so that each list and item is used often. */
const sharing = { shape: 'lists', users: 8, lists: 3, rate: 90, tokens: 'off' } as const;
/** Items and memberships stay. */
const keepAll = { add: 0, delete: 0, join: 0, leave: 0, remove: 0, 'other list': 0 };
const noFaults: readonly string[] = [];
const common = { weights: hotReads, users: 4, rate: 80, tokens: 'off' } as const;
/** Sessions that end soon after they were used, so that tasks still has them in its cache. */
const endings = {
  shape: 'split',
  weights: {
    ...hotReads,
    patch: 2,
    create: 2,
    logout: 15,
    'sessions.end': 15,
    'revoked token': 30,
    list: 60,
  },
  users: 6,
  rate: 90,
  tokens: 'off',
} as const;
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
  /** A replica that has not replayed the last writes is read while the primary is silent. */
  'all-members': {
    ...common,
    faults: ['stop the primary', 'pause the replay of replica'],
    pace: { gapMs: [100, 500], overlap: 1 },
  },
  /** The process that owns the accounts ends a session without Redis, and tasks does not look at its lease. */
  'owner-lease': { ...endings, faults: ['cut p1 from Redis', 'lose packets of p1 to Redis'], pace: quick },
  /** Sessions that ended in the last seconds are back in an older copy of Redis. */
  'owner-minimum': {
    ...endings,
    users: 12,
    faults: ['older Redis'],
    pace: { gapMs: [2500, 3500], overlap: 0 },
  },
  /** Caches and replicas are used although others have changed the list. */
  'scope-position': { ...sharing, faults: noFaults },
  /** A user maps an item to a list that it has left, changes it, and reads from a replica that has not replayed the change. */
  'own-scope': {
    ...sharing,
    users: 4,
    lists: 8,
    weights: { ...keepAll, item: 0, list: 0, 'by place': 50, patch: 10, move: 6 },
    faults: ['delay both'],
    pace: { gapMs: [0, 100], overlap: 0 },
  },
  /** A member fills the cache, from which those are served who are none. */
  'membership-check': { ...sharing, faults: noFaults },
  /** A member who was removed still has the cached membership. */
  'member-scope': { ...sharing, weights: { remove: 8, join: 12, leave: 0 }, faults: noFaults },
  /** An item moves between the two statements of a patch, and the list that it moves to is cached meanwhile. */
  'locked-row': {
    ...sharing,
    users: 12,
    itemsAtStart: 1,
    weights: { ...keepAll, move: 25, patch: 25 },
    rate: 120,
    faults: noFaults,
  },
  /** Others are told of a new item, and read it from a replica that does not have it yet. */
  'absence-on-primary': {
    ...sharing,
    weights: { add: 15, delete: 15, item: 30 },
    faults: ['delay'],
    pace: quick,
  },
};

/** Lists that are read often and changed rarely. */
export const quietLists = {
  shape: 'lists',
  seconds: 12,
  seed: 1,
  users: 20,
  rate: 80,
  tokens: 'off',
  weights: { add: 0.3, patch: 1, move: 0.3, delete: 0.2, join: 0.3, leave: 0.1, remove: 0.2 },
} as const;
