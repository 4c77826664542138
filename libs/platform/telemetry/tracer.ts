import { setTraceSource, type CurrentTrace } from '../context/current-trace.js';

/** By the names of OpenTelemetry's semantic conventions. */
export type Attributes = Readonly<Record<string, string | number>>;

/** What a span is of. A name is one of few: never an address, an id, or a statement. */
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
  /** `error`: what kind of failure of ours it was. */
  end(attributes: Attributes, error?: string): void;
}

/** How the doors of the platform tell what they do. */
export interface Tracer {
  current(): CurrentTrace | undefined;
  /** The current span for another process or a later time; null where it is not sampled. */
  carrier(): Record<string, string> | null;
  startServer(description: SpanDescription, caller: TraceCarrier): ServerSpan;
  /** Runs a call to another server. It is a span only inside of one that is sampled: nobody looks for polls of our own. */
  client<T>(describe: () => SpanDescription, call: () => Promise<T>): Promise<T>;
  /** Runs the handling of what was told earlier, by the carrier of that time. */
  consumer<T>(description: SpanDescription, carrier: TraceCarrier, work: () => Promise<T>): Promise<T>;
}

let installed: Tracer | null = null;

/** Null unless this process was told where to send traces. */
export const activeTracer = (): Tracer | null => installed;

export function installTracer(tracer: Tracer): void {
  installed = tracer;
  setTraceSource(() => tracer.current());
}

/** Runs a call to another server, as a span where there is tracing. */
export const inClientSpan = <T>(describe: () => SpanDescription, call: () => Promise<T>): Promise<T> =>
  installed === null ? call() : installed.client(describe, call);

/** Runs the handling of an event, as a span of the trace that it was told in. */
export const inConsumerSpan = <T>(
  description: SpanDescription,
  carrier: TraceCarrier | null,
  work: () => Promise<T>,
): Promise<T> =>
  installed === null || carrier === null ? work() : installed.consumer(description, carrier, work);
