import { collectDefaultMetrics, Registry, type OpenMetricsContentType } from 'prom-client';

/** All metrics of the process. prom-client takes exemplars only where it is to write OpenMetrics. */
export const registry = new Registry<OpenMetricsContentType>();
registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);

collectDefaultMetrics({ register: registry });

/** Names of those that prom-client makes of Node itself. */
export const nodeMetrics: ReadonlySet<string> = new Set(registry.getMetricsAsArray().map(({ name }) => name));
