import { setTraceSource, type CurrentTrace } from '../context/current-trace.js';

/** By the names of OpenTelemetry's semantic conventions. */
export type Attributes = Readonly<Record<string, string | number>>;

/** What a span describes. Names have a low cardinality: never an address, an id, or a statement. */
export interface SpanDescription {
  readonly name: string;
  readonly attributes: Attributes;
}

/** W3C trace context, as it travels: `traceparent` and `tracestate`. */
export type TraceCarrier = Readonly<Record<string, string | string[] | undefined>>;

/** Of a request that is being answered. */
export interface ServerSpan {
  /** What `next` begins belongs to the request. */
  run(next: () => void): void;
  /** `error`: the type of a server error. */
  end(attributes: Attributes, error?: string): void;
}

/** How the platform reports requests, calls to servers and event deliveries as spans. */
export interface Tracer {
  current(): CurrentTrace | undefined;
  /** The current span for another process or a later time; null where it is not sampled. */
  carrier(): Record<string, string> | null;
  startServer(description: SpanDescription, caller: TraceCarrier): ServerSpan;
  /** Runs a call to another server. It is a span only within a sampled one: background polls are not traced. */
  client<T>(describe: () => SpanDescription, call: () => Promise<T>): Promise<T>;
  /** Runs the handling of an event in the trace of its carrier. */
  consumer<T>(description: SpanDescription, carrier: TraceCarrier, work: () => Promise<T>): Promise<T>;
}

let installed: Tracer | null = null;

/** Null unless tracing is configured. */
export const activeTracer = (): Tracer | null => installed;

export function installTracer(tracer: Tracer): void {
  installed = tracer;
  setTraceSource(() => tracer.current());
}

/** Runs a call to another server, as a span where there is tracing. */
export const inClientSpan = <T>(describe: () => SpanDescription, call: () => Promise<T>): Promise<T> =>
  installed === null ? call() : installed.client(describe, call);

/** Runs the handling of an event, as a span of the trace in which it was published. */
export const inConsumerSpan = <T>(
  description: SpanDescription,
  carrier: TraceCarrier | null,
  work: () => Promise<T>,
): Promise<T> =>
  installed === null || carrier === null ? work() : installed.consumer(description, carrier, work);
