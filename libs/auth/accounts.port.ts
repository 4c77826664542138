/** The part of an account that other features may see. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly createdAt: Date;
  /** As given at registration; the users feature owns them from then on. */
  readonly registration: { readonly name: string; readonly timezone: string };
}

/** What other features may call in auth. */
export abstract class AccountsPort {
  /** The account, or null where there is none (any more). Consistency: as `Database.read`. */
  abstract find(userId: string): Promise<Account | null>;

  /** The same by e-mail, ignoring case: for operators, who know no ids. */
  abstract findByEmail(email: string): Promise<Account | null>;

  /** Deletes the account with its sessions: nobody can log in or stays logged in. Idempotent. */
  abstract delete(userId: string): Promise<void>;
}
