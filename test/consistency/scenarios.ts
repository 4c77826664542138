import type { Protection } from './cluster/cluster.js';
import type { RunOptions } from './runner.js';

/** Where a protection is missing, what makes that show within seconds. */
export interface Scenario extends Pick<RunOptions, 'weights' | 'pace' | 'users' | 'rate' | 'tokens'> {
  /** Words in the names of the faults. */
  readonly faults: readonly string[];
}

/** Reads that come from a cache, soon after writes of the same user through other processes. */
const hotReads = { list: 40, 'list filtered': 15, stats: 15, get: 20, patch: 30, 'profile.get': 10 };
const rare = { refresh: 0, 'refresh twice': 0, logout: 0, 'logout.all': 0, 'password.change': 0 };
const common = { weights: { ...hotReads, ...rare }, users: 4, rate: 80, tokens: 'off' } as const;
const quick = { gapMs: [200, 1000], overlap: 0 } as const;

export const scenarios: Readonly<Record<Protection, Scenario>> = {
  /** A process commits and dies: who has seen the change finds what was cached before it. */
  mark: { ...common, faults: ['fail point'], pace: quick },
  /** Nobody is told to forget, or the telling comes late. */
  stamp: { ...common, faults: ['drop subscriptions'], pace: { gapMs: [50, 300], overlap: 0 } },
  /** The notes of the last seconds are gone with what was cached in them. */
  floor: { ...common, faults: ['older Redis'], pace: quick },
  /** One process leaves no notes, and the others don't know. */
  lease: { ...common, faults: ['cut p1 from Redis', 'lose packets of p1 to Redis'], pace: quick },
  /** A replica that shows nothing new is asked all the same. */
  'replica-position': { ...common, faults: ['pause the replay of', 'delay'], pace: quick },
};
