import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AddressInfo } from 'node:net';
import { followRequests } from '../../libs/platform/http/consistency-hooks.js';
import { loadConfigOrExit } from '../../libs/platform/config/load.js';
import { openDataPath, type DataPath } from '../../libs/platform/data-path.js';
import { createHttpApplication, stopHttpApplication } from '../../libs/platform/http/http-application.js';
import { onStopSignal, Stopped, type StopRequest } from '../../libs/platform/lifecycle/stop-signal.js';
import { followLevelFile } from '../../libs/platform/logging/level-file.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { serveDocs } from '../../libs/platform/openapi/docs-page.js';
import { tellBuild } from '../../libs/platform/metrics/build-info.js';
import { Health } from '../../libs/platform/lifecycle/health.js';
import { OperationsServer } from '../../libs/platform/operations/operations-server.js';
import { startTracing } from '../../libs/platform/telemetry/start-tracing.js';
import { AppModule } from './app.module.js';
import { apiRules, apiVariables, type ApiConfig } from './config.js';
import { persistence } from './features.js';
import { welcome } from './welcome.js';

const config = loadConfigOrExit(apiVariables, apiRules);
logger.level = config.LOG_LEVEL;
tellBuild(config);
followLevelFile(logger, config);

const stop = onStopSignal();
// Before anything that makes spans.
const tracing = await startTracing(config);

try {
  await run(config, stop);
} catch (error) {
  if (error instanceof Stopped) logger.info({ signal: error.signal }, 'stopped before it had started');
  else {
    logger.fatal({ err: error }, 'the start failed');
    process.exitCode = 1;
  }
}
// Last of all, so that what the stopping itself did is sent too. A receiver that is away may not keep the process.
if (!(await tracing.stop())) process.exit();

async function run(config: ApiConfig, stop: StopRequest): Promise<void> {
  const health = new Health();
  const operations = new OperationsServer(health);
  const opsPort = await operations.listen(config.HOST, config.OPS_PORT);
  let path: DataPath | undefined;
  try {
    path = await openDataPath({
      config,
      features: persistence,
      applicationName: 'task-api',
      isCommand: false,
      stop: stop.signal,
    });
    await serve(config, path, health, opsPort, stop);
  } finally {
    await path?.close();
    await operations.close();
  }
}

/** Serves until a signal asks to stop; on return everything in flight was answered. */
async function serve(
  config: ApiConfig,
  path: DataPath,
  health: Health,
  opsPort: number,
  stop: StopRequest,
): Promise<void> {
  const module = AppModule.register(config, path, health);
  const http = await createHttpApplication(module, config, health, (fastify) => {
    followRequests(fastify, path.consistency, path.tokens);
    serveDocs(fastify, documentFile());
  });
  const { app } = http;
  try {
    await app.listen(config.PORT, config.HOST);
  } catch (error) {
    // Its timers would keep the process from ending.
    await app.close();
    throw error;
  }
  health.serving();
  const { port } = app.getHttpServer().address() as AddressInfo;
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
