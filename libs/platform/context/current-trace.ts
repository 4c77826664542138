/** Ids of a span that is sampled, so that whoever follows them finds it. */
export interface CurrentTrace {
  readonly traceId: string;
  readonly spanId: string;
}

type TraceSource = () => CurrentTrace | undefined;

const none: TraceSource = () => undefined;
let source: TraceSource = none;

/** The sampled span that this code runs in; undefined outside of one, and always where tracing is off. */
export const currentTrace = (): CurrentTrace | undefined => source();

/** Called by whatever makes traces, once it does; null ends that. */
export function setTraceSource(next: TraceSource | null): void {
  source = next ?? none;
}
