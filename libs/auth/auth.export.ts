import { Injectable } from '@nestjs/common';
import { ExportSource } from '../users/export.port.js';
import { AccountsService } from './accounts.service.js';

@Injectable()
export class AuthExport extends ExportSource {
  readonly name = 'auth';

  constructor(private readonly accounts: AccountsService) {
    super();
  }

  async exportOf(userId: string): Promise<unknown> {
    const [account, pendingEmail] = await Promise.all([
      this.accounts.find(userId),
      this.accounts.findPendingEmail(userId),
    ]);
    return {
      email: account?.email,
      email_verified: account?.emailVerified,
      // To be confirmed.
      ...(pendingEmail !== null && { new_email: pendingEmail }),
      created_at: account?.createdAt.toISOString(),
    };
  }
}
