import {
  Module,
  type DynamicModule,
  type ModuleMetadata,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { AccountsPort } from '../auth/accounts.port.js';
import { userRegistered } from '../auth/auth.events.js';
import { Database } from '../platform/database/database.js';
import { EventBus } from '../platform/events/event-bus.js';
import { outboxSweep } from '../platform/events/outbox.js';
import { Sweeper } from '../platform/sweeper/sweeper.js';
import type { ExportSource } from './export.port.js';
import { ExportService } from './export.service.js';
import { EXPORT_SOURCES } from './export.tokens.js';
import { ProfileEntity } from './profile.entity.js';
import { ProfilesModule } from './profiles.module.js';
import { UsersController } from './users.controller.js';
import { userDeleted } from './users.events.js';
import { UsersPort } from './users.port.js';
import { UsersService } from './users.service.js';

type Import = NonNullable<ModuleMetadata['imports']>[number];

export interface UsersModuleOptions {
  /** Exports `AccountsPort`. */
  readonly identity: Import;
  /** The other features' parts of an export, each with the module that provides it. */
  readonly exports: readonly { readonly module: Import; readonly source: Type<ExportSource> }[];
}

@Module({})
export class UsersModule implements OnModuleInit {
  constructor(
    private readonly bus: EventBus,
    private readonly profiles: UsersPort,
    private readonly accounts: AccountsPort,
    private readonly database: Database,
    private readonly sweeper: Sweeper,
  ) {}

  static register(options: UsersModuleOptions): DynamicModule {
    const sources = options.exports.map(({ source }) => source);
    return {
      module: UsersModule,
      imports: [options.identity, ProfilesModule, ...options.exports.map(({ module }) => module)],
      controllers: [UsersController],
      providers: [
        UsersService,
        ExportService,
        { provide: EXPORT_SOURCES, useFactory: (...parts: ExportSource[]) => parts, inject: sources },
      ],
    };
  }

  onModuleInit(): void {
    this.sweeper.register(outboxSweep('users'));
    this.bus.subscribe(userRegistered, async ({ user_id, name, timezone }) => {
      // It may come late, when the account has been deleted again: that must not bring the profile back.
      if ((await this.accounts.find(user_id)) === null) return;
      await this.profiles.ensureProfile({ id: user_id, name, timezone });
    });
    // The second telling comes when no request of the user can be under way: one may have made the profile anew.
    this.bus.subscribe(userDeleted, async ({ user_id }) => {
      await this.database.write((manager) => manager.delete(ProfileEntity, { id: user_id }), {
        users: [user_id],
      });
    });
  }
}
