import { z } from 'zod';
import type { Environment } from '../config/environment.js';

/** What the metrics tell of the build. */
export const metricsVariables = {
  APP_VERSION: z.string().max(100).default('unknown').describe('Version in the metrics; set in the image.'),
  APP_REVISION: z.string().max(100).default('unknown').describe('Commit in the metrics; set in the image.'),
};

export type MetricsConfig = Environment<typeof metricsVariables>;
