import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/database.js';

/** Where users have logged in from. */
@Injectable()
export class KnownNetworksService {
  constructor(private readonly database: Database) {}

  /**
   * Whether the user of an e-mail address (in lower case), known or not, has logged in from the network, or has reset the password
   * from there by a mailed token. As long as the sessions and tokens are stored. Consistency: primary.
   */
  async has(email: string, network: string): Promise<boolean> {
    const [row] = await this.database.read(
      (manager) =>
        manager.query<{ isKnown: boolean }[]>(
          `SELECT EXISTS (
             SELECT FROM auth.sessions WHERE user_id = account.id AND coalesce(network, ip) = $2
             UNION ALL
             SELECT FROM auth.mail_tokens WHERE account_id = account.id AND used_network = $2
           ) AS "isKnown" FROM auth.accounts account WHERE lower(account.email) = $1`,
          [email, network],
        ),
      { isOwnOnly: false },
    );
    return row?.isKnown ?? false;
  }
}
