import type { EntityManager } from 'typeorm';

/** The rules of this feature. A test breaks one of them and must then find that clients see something old. */
export interface Rules {
  /** Each read of a shared entry asks whether the reader is a member; otherwise only the one that fills the cache does. */
  readonly asksMembership: boolean;
  /** A change of membership raises the scope of the member, too. */
  readonly raisesMember: boolean;
  /** A write takes the list of an item from a row that it has locked. */
  readonly locksItem: boolean;
  /** An item that a replica does not have is looked for on the primary. */
  readonly confirmsAbsence: boolean;
  /** Between the read of an item that is to be changed and its change. */
  readonly pause: (manager: EntityManager) => Promise<void>;
}

export const allRules: Rules = {
  asksMembership: true,
  raisesMember: true,
  locksItem: true,
  confirmsAbsence: true,
  pause: () => Promise.resolve(),
};

/** Provides the rules. */
export const rulesToken = Symbol('rules of shared lists');
