import type { Environment } from '../../libs/platform/config/environment.js';
import { needsInProduction, type Rule } from '../../libs/platform/config/load.js';
import { needsSharedTokenKey } from '../../libs/platform/consistency/consistency.config.js';
import { rulesOf, variablesOf } from '../../libs/platform/features/feature-variables.js';
import { needsPublicUrl } from '../../libs/platform/http/http.config.js';
import { needsSender } from '../../libs/platform/mail/mail.config.js';
import { platformVariables } from '../../libs/platform/platform.config.js';
import { features } from '../features.js';

/** Every variable that this app reads. */
export const apiVariables = { ...platformVariables, ...variablesOf(features) };

export type ApiConfig = Environment<typeof platformVariables>;

/** What must hold between them. */
export const apiRules: readonly Rule<ApiConfig>[] = [
  needsInProduction('DATABASE_URL', 'REDIS_URL', 'SMTP_URL'),
  needsPublicUrl,
  needsSender,
  needsSharedTokenKey,
  ...rulesOf<ApiConfig>(features),
];
