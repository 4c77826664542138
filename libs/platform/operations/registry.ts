import { collectDefaultMetrics, Registry } from 'prom-client';

/** All metrics of the process. */
export const registry = new Registry();

collectDefaultMetrics({ register: registry });
