import {
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Span,
  type Tracer as ApiTracer,
} from '@opentelemetry/api';
import type { CurrentTrace } from '../context/current-trace.js';
import type { Attributes, ServerSpan, SpanDescription, TraceCarrier, Tracer } from './tracer.js';

/** Spans by OpenTelemetry. Of an error only the type is recorded: its message may contain what a user has sent. */
export class OpenTelemetryTracer implements Tracer {
  constructor(private readonly api: ApiTracer) {}

  current(): CurrentTrace | undefined {
    return sampledTrace(trace.getActiveSpan());
  }

  carrier(): Record<string, string> | null {
    if (this.current() === undefined) return null;
    const carrier: Record<string, string> = {};
    propagation.inject(context.active(), carrier);
    return carrier;
  }

  startServer({ name, attributes }: SpanDescription, caller: TraceCarrier): ServerSpan {
    const parent = propagation.extract(ROOT_CONTEXT, caller);
    const span = this.api.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
    const own = trace.setSpan(parent, span);
    return {
      run: (next) => context.with(own, next),
      end: (more, error) => {
        span.setAttributes({ ...more });
        finish(span, error);
      },
    };
  }

  client<T>(describe: () => SpanDescription, call: () => Promise<T>): Promise<T> {
    if (trace.getActiveSpan()?.isRecording() !== true) return call();
    const { name, attributes } = describe();
    return settle(this.api.startSpan(name, { kind: SpanKind.CLIENT, attributes }), call);
  }

  consumer<T>(
    { name, attributes }: SpanDescription,
    carrier: TraceCarrier,
    work: () => Promise<T>,
  ): Promise<T> {
    const parent = propagation.extract(ROOT_CONTEXT, carrier);
    const span = this.api.startSpan(name, { kind: SpanKind.CONSUMER, attributes }, parent);
    return context.with(trace.setSpan(parent, span), () => settle(span, work));
  }
}

async function settle<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    finish(span, kindOf(error), stateOf(error));
    throw error;
  }
}

function finish(span: Span, error?: string, attributes: Attributes = {}): void {
  if (error !== undefined) {
    span.setAttributes({ ...attributes, 'error.type': error });
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Postgres names its errors by five characters. */
function stateOf(error: unknown): Attributes {
  const kind = kindOf(error);
  return /^[0-9A-Z]{5}$/.test(kind) ? { 'db.response.status_code': kind } : {};
}

function sampledTrace(span: Span | undefined): CurrentTrace | undefined {
  const found = span?.spanContext();
  if (found === undefined || !isSpanContextValid(found)) return undefined;
  if ((found.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return { traceId: found.traceId, spanId: found.spanId };
}
