import { Module, type DynamicModule } from '@nestjs/common';
import { AuthExport } from '../../libs/auth/auth.export.js';
import { AuthModule } from '../../libs/auth/auth.module.js';
import { SessionsExport } from '../../libs/auth/sessions/sessions.export.js';
import { IdentityModule } from '../../libs/auth/identity.module.js';
import type { DataPath } from '../../libs/platform/data-path.js';
import type { Health } from '../../libs/platform/lifecycle/health.js';
import { PlatformModule } from '../../libs/platform/platform.module.js';
import { SecurityModule } from '../../libs/platform/security/security.module.js';
import { TasksExport } from '../../libs/tasks/tasks.export.js';
import { TasksModule } from '../../libs/tasks/tasks.module.js';
import { ProfilesModule } from '../../libs/users/profiles.module.js';
import { UsersModule } from '../../libs/users/users.module.js';
import type { ApiConfig } from './config.js';

/** The monolith: every feature in one process, each reached by the others only through its port. */
@Module({})
export class AppModule {
  static register(config: ApiConfig, path: DataPath, health: Health): DynamicModule {
    const identity = IdentityModule.register(config);
    const auth = AuthModule.register({ config, identity, users: ProfilesModule });
    const tasks = TasksModule.register({ users: ProfilesModule });
    const users = UsersModule.register({
      identity,
      exports: [
        { module: auth, source: AuthExport },
        { module: auth, source: SessionsExport },
        { module: tasks, source: TasksExport },
      ],
    });
    return {
      module: AppModule,
      imports: [
        PlatformModule.register(config, path, health),
        SecurityModule.register({ identity }),
        auth,
        users,
        tasks,
      ],
    };
  }
}
