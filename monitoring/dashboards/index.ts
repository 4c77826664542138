import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { business } from './business.js';
import { cache } from './cache.js';
import { database } from './database.js';
import { kubernetes } from './kubernetes.js';
import { overview } from './overview.js';
import { runtime } from './runtime.js';
import { slo } from './slo.js';

/** All dashboards, by file name. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  overview,
  slo,
  runtime,
  database,
  cache,
  kubernetes,
  business,
};
