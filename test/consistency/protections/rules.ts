import { allRules, type Rules } from '../lists/shared-lists.rules.js';
import type { Protection } from './names.js';

/** For each protection of the shared lists: the rule that is missing. */
const broken: Readonly<Partial<Record<Protection, Partial<Rules>>>> = {
  'membership-check': { asksMembership: false },
  'member-scope': { raisesMember: false },
  'absence-on-primary': { confirmsAbsence: false },
  // The pause makes time for another write between the two statements.
  'locked-row': { locksItem: false, pause: (manager) => manager.query('SELECT pg_sleep(0.2)') },
};

export const rulesWithout = (missing: Protection | undefined): Rules => ({
  ...allRules,
  ...(missing !== undefined && broken[missing]),
});
