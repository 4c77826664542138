import { authVariables, needsSharedKeys } from '../../libs/auth/auth.config.js';
import type { Environment } from '../../libs/platform/config/environment.js';
import {
  hasNoTestSettings,
  needsInProduction,
  needsPublicAddresses,
  needsSharedTokenKey,
} from '../../libs/platform/config/load.js';
import { platformVariables } from '../../libs/platform/platform.config.js';

/** Every variable that this app reads. */
export const apiVariables = { ...platformVariables, ...authVariables };

/** What must hold between them. */
export const apiRules = [
  needsInProduction('DATABASE_URL', 'REDIS_URL', 'SMTP_URL'),
  needsPublicAddresses,
  needsSharedKeys,
  needsSharedTokenKey,
  hasNoTestSettings,
];

export type ApiConfig = Environment<typeof apiVariables>;
