import { featureName } from '../platform/context/feature-name.js';
import type { Role, Tier } from '../auth/access/roles.port.js';

/** Name of the feature: profiles. */
export const users = featureName('users');

/** What registration knows of a person. */
export interface NewProfile {
  readonly id: string;
  readonly name: string;
  readonly timezone: string;
}

/** What other features may ask of users. */
export abstract class UsersPort {
  /** Makes the profile, or leaves the one that is there as it is: idempotent by id. */
  abstract ensureProfile(profile: NewProfile): Promise<void>;

  /** Role and tier for an access token; a user whose profile is not made yet is a free user. Consistency: primary. */
  abstract claimsOf(userId: string): Promise<{ readonly role: Role; readonly tier: Tier }>;

  /** The user's name; null where the profile is not made yet. Consistency: as `Database.read`. */
  abstract nameOf(userId: string): Promise<string | null>;

  /** IANA time zone of the user, `UTC` where the profile is not made yet. */
  abstract timezoneOf(userId: string): Promise<string>;
}
