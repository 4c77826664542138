import { loadConfigOrExit } from '../../libs/platform/config/load.js';
import { ApiServer } from '../../libs/kubernetes/api-server.js';
import { createSecretIfMissing } from '../../libs/kubernetes/secrets.js';
import { onStopSignal, Stopped, untilStopped } from '../../libs/platform/lifecycle/stop-signal.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { secretsVariables } from './config.js';
import { newCredentials, newSigningKeys } from './contents.js';

/**
 * Makes the Kubernetes Secrets that the API needs, with random values, where they are missing; those that are there stay
 * as they are. They are kept apart from the release that needs them, as the data is that they open.
 */
const config = loadConfigOrExit(secretsVariables);
logger.level = config.LOG_LEVEL;
const wanted = [
  { name: config.CREDENTIALS_SECRET, makeValues: newCredentials },
  { name: config.JWT_KEYS_SECRET, makeValues: newSigningKeys },
];
const stop = onStopSignal();
try {
  await untilStopped(makeAll(), stop);
} catch (error) {
  if (error instanceof Stopped) {
    logger.warn({ signal: error.signal }, 'stopped before all Secrets were there');
    process.exit(error.exitCode);
  }
  logger.fatal({ err: error }, 'a Secret could not be made');
  process.exitCode = 1;
}

async function makeAll(): Promise<void> {
  const server = new ApiServer({
    host: config.KUBERNETES_SERVICE_HOST,
    port: config.KUBERNETES_SERVICE_PORT,
    serviceAccountDirectory: config.SERVICE_ACCOUNT_DIR,
  });
  const namespace = config.SECRETS_NAMESPACE ?? (await server.namespace());
  for (const { name, makeValues } of wanted) {
    if (name === undefined) continue;
    const labels = config.SECRET_LABELS;
    const outcome = await createSecretIfMissing(server, namespace, { name, labels, makeValues });
    logger.info(
      { secret: name, namespace },
      outcome === 'created' ? 'a Secret was made' : 'a Secret is there',
    );
  }
}
