import type { PlatformConfig } from '../platform.config.js';
import { withTimeout, timedOut } from '../async/with-timeout.js';
import { logger } from '../logging/logger.js';
import { installTracer } from './tracer.js';

/** For what has not been sent when the process stops: a receiver that is away must not hold it up. */
const flushTimeoutMs = 3000;

export type TracingConfig = Pick<
  PlatformConfig,
  'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' | 'OTEL_SDK_DISABLED'
>;

export interface Tracing {
  /** Sends what is left, for a few seconds at most. @returns false where that did not do */
  stop(): Promise<boolean>;
}

/** Nothing of OpenTelemetry is loaded unless the environment says where traces go. */
export async function startTracing(config: TracingConfig): Promise<Tracing> {
  const endpoint = config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? config.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined || config.OTEL_SDK_DISABLED) return { stop: () => Promise.resolve(true) };
  const { startOpenTelemetry } = await import('./opentelemetry.js');
  const { tracer, shutDown } = startOpenTelemetry();
  installTracer(tracer);
  // Without what may stand before the host: a URL can hold a password.
  logger.info({ receiver: new URL(endpoint).host }, 'traces are sent');
  return {
    // What could not be sent has been logged.
    stop: async () =>
      (await withTimeout(
        shutDown().catch(() => undefined),
        flushTimeoutMs,
      )) !== timedOut,
  };
}
