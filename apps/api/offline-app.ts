import { assembleDataPath } from '../../libs/platform/data-path.js';
import { loadConfig } from '../../libs/platform/config/load.js';
import type { HttpApplication } from '../../libs/platform/http/http-application.js';
import { Health } from '../../libs/platform/lifecycle/health.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { recordBuildInfo } from '../../libs/platform/metrics/build-info.js';
import { OperationsServer } from '../../libs/platform/operations/operations-server.js';
import { apiVariables, type ApiConfig } from './config.js';
import { createHttpApp } from './http-app.js';

/** The application as a whole without a database, for documents that are made of what it says of itself. */
export async function createOfflineApp(): Promise<HttpApplication & { readonly metrics: Metrics }> {
  // Nothing connects to it: it makes the parts that only a process with Redis has.
  const config = {
    ...(loadConfig<typeof apiVariables>(apiVariables) as ApiConfig),
    REDIS_URL: 'redis://localhost',
  };
  const metrics = new Metrics({ withNode: true });
  recordBuildInfo(metrics, config);
  const health = new Health();
  new OperationsServer(health, metrics);
  const path = assembleDataPath({
    config,
    applicationName: 'documents',
    role: 'service',
    metrics,
    servers: [],
  });
  const http = await createHttpApp({ config, path, metrics, health });
  return { ...http, metrics };
}
