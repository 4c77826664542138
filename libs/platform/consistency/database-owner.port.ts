import type { Position } from '../positions/position.js';

/** What is known of a database. */
export interface DatabaseFacts {
  /** The primary's position, taken after its leases were looked at. */
  readonly position: Position;
  /** How many processes write to the database without write intents. */
  readonly leases: number;
  /** `position` is past a commit that nobody sees yet, and whose write intents may be gone. */
  readonly isCommitWaiting: boolean;
}

/** What a process says of its own database to the processes that rely on it. Its own lease is among `leases`. */
export interface OwnerReport extends DatabaseFacts {
  /** How long ago the primary was asked. */
  readonly ageMs: number;
}

/** A process that a database belongs to. Processes that rely on the database without access to it ask one several times a second. */
export abstract class DatabaseOwner {
  /** The features whose data is in that database. */
  abstract readonly features: readonly string[];
  /** @throws Error where the owner is not reached, or does not know */
  abstract report(): Promise<OwnerReport>;
}
