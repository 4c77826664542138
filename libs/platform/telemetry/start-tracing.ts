import type { TelemetryConfig } from './telemetry.config.js';
import { withTimeout, timedOut } from '../async/with-timeout.js';
import { logger } from '../logging/logger.js';
import { installTracer } from './tracer.js';

/** For spans that are not sent yet when the process stops: an unavailable collector must not delay the stop. */
const flushTimeoutMs = 3000;

export type TracingConfig = Pick<
  TelemetryConfig,
  'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' | 'OTEL_SDK_DISABLED'
>;

export interface Tracing {
  /** Sends the remaining spans, for a few seconds at most. @returns false if that failed */
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
