import { Injectable } from '@nestjs/common';
import { AccountsPort } from '../auth/accounts.port.js';
import { userRegistered } from '../auth/auth.events.js';
import { OnEvent, type EventPayload } from '../platform/events/on-event.js';
import { ProfilesService } from './profiles.service.js';
import { userDeleted } from './users.events.js';

/** The events that users consumes. */
@Injectable()
export class UsersConsumers {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly accounts: AccountsPort,
  ) {}

  /** The event may come when the account has been deleted again: that must not bring the profile back. */
  @OnEvent(userRegistered)
  async makeProfile({ user_id, name, timezone }: EventPayload<typeof userRegistered>): Promise<void> {
    if ((await this.accounts.find(user_id)) === null) return;
    await this.profiles.ensureProfile({ id: user_id, name, timezone });
  }

  /** The event comes a second time when no request of the user can be running: one may have made the profile anew. */
  @OnEvent(userDeleted)
  async deleteProfile({ user_id }: EventPayload<typeof userDeleted>): Promise<void> {
    await this.profiles.delete(user_id);
  }
}
