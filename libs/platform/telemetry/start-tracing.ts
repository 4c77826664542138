import type { PlatformConfig } from '../config/platform-variables.js';
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
  return { stop: () => within(shutDown()) };
}

function within(work: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), flushTimeoutMs);
    const done = () => {
      clearTimeout(timer);
      resolve(true);
    };
    // What could not be sent has been logged.
    work.then(done, done);
  });
}
