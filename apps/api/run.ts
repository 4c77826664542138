import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AddressInfo } from 'node:net';
import { startDevelopmentPostgres } from '../../libs/embedded/development-postgres.js';
import type { DatabaseOwner } from '../../libs/platform/consistency/database-owner.port.js';
import { loadConfigOrExit } from '../../libs/platform/config/load.js';
import { openDataPath, type DataPath, type DataPathParts } from '../../libs/platform/data-path.js';
import { persistenceOf } from '../../libs/platform/features/persistence-of.js';
import { stopHttpApplication } from '../../libs/platform/http/http-application.js';
import { Health } from '../../libs/platform/lifecycle/health.js';
import { limitHeapGrowth, releaseMemory } from '../../libs/platform/lifecycle/release-memory.js';
import { onStopSignal, Stopped, type StopRequest } from '../../libs/platform/lifecycle/stop-signal.js';
import { followLevelFile } from '../../libs/platform/logging/level-file.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { recordBuildInfo } from '../../libs/platform/metrics/build-info.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { serveDocs } from '../../libs/platform/openapi/docs-page.js';
import { OperationsServer } from '../../libs/platform/operations/operations-server.js';
import { startTracing } from '../../libs/platform/telemetry/start-tracing.js';
import { features as monolith } from '../features.js';
import type { Composition } from './app.module.js';
import { apiRules, apiVariables, type ApiConfig } from './config.js';
import { createHttpApp } from './http-app.js';
import { welcome } from './welcome.js';

/**
 * Connections that wait in the kernel until they are accepted. By default these are 511, and when thousands of clients come at
 * once some of their connections are reset. The kernel takes no more than its own `somaxconn`.
 */
const maxUnaccepted = 4096;

export interface ApiOptions extends Composition {
  /** Other classes for parts of the data path. */
  readonly parts?: Partial<DataPathParts>;
  /** Owners of the databases of features that run elsewhere. */
  readonly owners?: readonly DatabaseOwner[];
}

interface Process {
  readonly config: ApiConfig;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly stop: StopRequest;
  readonly options: ApiOptions;
}

/** Runs the API until a signal asks it to stop. */
export async function runApi(options: ApiOptions = {}): Promise<void> {
  const config = loadConfigOrExit<typeof apiVariables>(apiVariables, apiRules) as ApiConfig;
  logger.level = config.LOG_LEVEL;
  const metrics = new Metrics({ withNode: true });
  recordBuildInfo(metrics, config);
  followLevelFile(logger, config);

  const stop = onStopSignal();
  // Before anything that creates spans.
  const tracing = await startTracing(config);
  try {
    await openAndServe({ config, metrics, health: new Health(), stop, options });
  } catch (error) {
    if (error instanceof Stopped) logger.info({ signal: error.signal }, 'stopped before it had started');
    else {
      logger.fatal({ err: error }, 'the start failed');
      process.exitCode = 1;
    }
  }
  // Last, so that spans of the shutdown are sent, too. An unavailable collector must not keep the process alive.
  if (!(await tracing.stop())) process.exit();
}

async function openAndServe(api: Process): Promise<void> {
  const { config, metrics, health, stop } = api;
  const operations = new OperationsServer(health, metrics);
  const opsHost = config.OPS_HOST ?? (config.NODE_ENV === 'production' ? config.HOST : '127.0.0.1');
  const opsPort = await operations.listen(opsHost, config.OPS_PORT);
  let path: DataPath | undefined;
  try {
    path = await openDataPath({
      config,
      features: persistenceOf(api.options.features ?? monolith),
      applicationName: 'task-api',
      role: 'service',
      metrics,
      startEmbedded: startDevelopmentPostgres,
      stop: stop.signal,
      parts: api.options.parts,
      owners: api.options.owners,
    });
    await serve(api, path, opsPort);
  } finally {
    await path?.close();
    await operations.close();
  }
}

/** Serves until a signal asks to stop; on return everything in flight was answered. */
async function serve(
  { config, metrics, health, stop, options }: Process,
  path: DataPath,
  opsPort: number,
): Promise<void> {
  const http = await createHttpApp({ config, path, metrics, health }, options, (server) =>
    serveDocs(server, documentFile()),
  );
  const { app, fastify } = http;
  releaseMemory();
  limitHeapGrowth();
  try {
    await fastify.listen({ port: config.PORT, host: config.HOST, backlog: maxUnaccepted });
  } catch (error) {
    // Its timers would keep the process from ending.
    await app.close();
    throw error;
  }
  health.serving();
  const { port } = fastify.server.address() as AddressInfo;
  logger.info({ port, ops_port: opsPort }, 'serving');
  if (config.NODE_ENV === 'development') process.stdout.write(welcome(port, opsPort));

  logger.info({ signal: await stop.asked }, 'stopping');
  health.stopping();
  await new Promise((resolve) => setTimeout(resolve, config.STOP_DELAY_MS));
  const isClean = await stopHttpApplication(http, config);
  if (!isClean) process.exitCode = 1;
  logger.info('stopped');
}

/** The document lies in the sources, not in the build: it is committed, reviewed and served as it is. */
function documentFile(): string {
  return join(fileURLToPath(new URL('../../../apps/api/', import.meta.url)), 'openapi.json');
}
