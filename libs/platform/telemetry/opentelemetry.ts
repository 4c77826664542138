import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { core, NodeSDK, resources } from '@opentelemetry/sdk-node';
import { logger } from '../logging/logger.js';
import { OpenTelemetryTracer } from './opentelemetry-tracer.js';
import type { Tracer } from './tracer.js';

/** A collector that is not available is logged once in this time. */
const complaintMs = 60_000;

/**
 * Starts the SDK, which reads the standard variables of OpenTelemetry by itself: where to, headers, sampler, names. Spans
 * wait in a bounded queue and are dropped beyond it, so that a collector that is not available costs requests nothing.
 */
export function startOpenTelemetry(): { tracer: Tracer; shutDown: () => Promise<void> } {
  core.setGlobalErrorHandler(complaints());
  const sdk = new NodeSDK({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come after it.
    resource: resources.resourceFromAttributes({ 'service.name': 'task-api' }),
    traceExporter: new OTLPTraceExporter(),
    // Metrics are Prometheus', logs go to standard output.
    metricReaders: [],
    logRecordProcessors: [],
    // The platform creates its spans itself, see docs/adr/0010.
    instrumentations: [],
  });
  sdk.start();
  return { tracer: new OpenTelemetryTracer(trace.getTracer('task-api')), shutDown: () => sdk.shutdown() };
}

function complaints(): (error: unknown) => void {
  let toldAt = -Infinity;
  return (error) => {
    if (performance.now() - toldAt < complaintMs) return;
    toldAt = performance.now();
    logger.warn({ err: error }, 'traces could not be sent');
  };
}
