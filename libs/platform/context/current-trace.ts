/** Ids of a sampled span, for links to its trace. */
export interface CurrentTrace {
  readonly traceId: string;
  readonly spanId: string;
}

type TraceSource = () => CurrentTrace | undefined;

const none: TraceSource = () => undefined;
let source: TraceSource = none;

/** The sampled span that this code runs in; undefined outside of one, and always where tracing is off. */
export const currentTrace = (): CurrentTrace | undefined => source();

/** Called by the tracing setup when it starts; null when it ends. */
export function setTraceSource(next: TraceSource | null): void {
  source = next ?? none;
}
