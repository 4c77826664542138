import { Injectable } from '@nestjs/common';
import { userScope } from '../platform/context/scope.js';
import { AccountsPort } from '../auth/accounts.port.js';
import { userRegistered } from '../auth/auth.events.js';
import { Database } from '../platform/database/database.js';
import type { EventMeta } from '../platform/events/event.js';
import { OnEvent, type EventPayload } from '../platform/events/on-event.js';
import { ProfilesService } from './profiles.service.js';
import { userDeleted } from './users.events.js';

/** The events that users consumes. */
@Injectable()
export class UsersConsumers {
  constructor(
    private readonly database: Database,
    private readonly profiles: ProfilesService,
    private readonly accounts: AccountsPort,
  ) {}

  /** The event may come when the account has been deleted again: that must not bring the profile back. */
  @OnEvent(userRegistered, 'make-profile')
  async makeProfile(
    { user_id, name, timezone }: EventPayload<typeof userRegistered>,
    meta: EventMeta,
  ): Promise<void> {
    if ((await this.accounts.find(user_id)) === null) return;
    await this.database.write(
      async (manager) => {
        await meta.consume(manager);
        await this.profiles.ensureIn(manager, { id: user_id, name, timezone });
      },
      { scopes: [userScope(user_id)] },
    );
  }

  /** The event comes a second time when no request of the user can be running: one may have made the profile anew. */
  @OnEvent(userDeleted, 'delete-profile')
  async deleteProfile({ user_id }: EventPayload<typeof userDeleted>, meta: EventMeta): Promise<void> {
    await this.database.write(
      async (manager) => {
        await meta.consume(manager);
        await this.profiles.deleteIn(manager, user_id);
      },
      { scopes: [userScope(user_id)] },
    );
  }
}
