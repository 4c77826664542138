import { Module } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { featureDatabase } from '../platform/database/feature-database.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Outbox } from '../platform/events/outbox.js';
import { ProfilesService } from './profiles.service.js';
import { UsersPort } from './users.port.js';

/** The profiles and the port to them: what auth and tasks import. It needs no other feature, so no cycle arises. */
@Module({
  providers: [
    featureDatabase('users'),
    {
      provide: Outbox,
      useFactory: (db: Database, bus: EventBus) => new Outbox(db, 'users', bus),
      inject: [Database, EventBus],
    },
    ProfilesService,
    { provide: UsersPort, useExisting: ProfilesService },
  ],
  exports: [UsersPort, ProfilesService, Outbox, Database],
})
export class ProfilesModule {}
