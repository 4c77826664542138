import { defineFeature } from '../platform/features/define-feature.js';
import { ExportService } from './export.service.js';
import { CreateProfiles1764000000000 } from './migrations/1764000000000-create-profiles.js';
import { AddUsersOutboxTrace1764100000000 } from './migrations/1764100000000-add-outbox-trace.js';
import { CreateUsersInbox1764200000000 } from './migrations/1764200000000-create-inbox.js';
import { ProfileEntity } from './profile.entity.js';
import { seedProfiles } from './profiles.seeder.js';
import { ProfilesService, timezones } from './profiles.service.js';
import { UsersConsumers } from './users.consumers.js';
import { UsersController } from './users.controller.js';
import { users, UsersPort } from './users.port.js';
import { profiles, UsersService } from './users.service.js';

/** Profiles: what a person is called, where and how they live; with what auth knows, the user. */
export const usersFeature = defineFeature({
  name: users,
  entities: [ProfileEntity],
  migrations: [CreateProfiles1764000000000, AddUsersOutboxTrace1764100000000, CreateUsersInbox1764200000000],
  caches: [profiles, timezones],
  hasOutbox: true,
  core: [ProfilesService],
  ports: [{ port: UsersPort, by: ProfilesService }],
  controllers: [UsersController],
  consumers: [UsersConsumers],
  providers: [UsersService, ExportService],
  seed: { option: null, defaultCount: 0, help: '', run: seedProfiles },
});
