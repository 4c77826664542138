import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

/** All dashboards, by the name of their file. */
export const dashboards: Readonly<Record<string, Dashboard>> = {};
