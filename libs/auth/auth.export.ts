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
    const account = await this.accounts.find(userId);
    return {
      email: account?.email,
      email_verified: account?.emailVerified,
      created_at: account?.createdAt.toISOString(),
    };
  }
}
