import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { waitFor } from './wait.js';

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'consumer' | 'other';
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root span. */
  readonly parentSpanId: string;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Resource attributes of the sending process. */
  readonly resource: Readonly<Record<string, string | number>>;
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** The headers of each request, in order of arrival. */
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** Waits until the received spans satisfy the condition. */
  find(
    is: (span: ReceivedSpan) => boolean,
    what: string,
  ): Promise<readonly [ReceivedSpan, ...ReceivedSpan[]]>;
  /** Makes it hang: it accepts requests but answers none. */
  hang(): void;
  stop(): Promise<void>;
}

/** Starts a receiver of traces by OTLP over HTTP with protocol buffers, like a collector. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: OtlpReceiver['requests'] = [];
  let isHanging = false;
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      if (isHanging) return;
      requests.push({ path: request.url ?? '', headers: request.headers });
      const isZipped = request.headers['content-encoding'] === 'gzip';
      spans.push(...decode(isZipped ? gunzipSync(body) : body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const find: OtlpReceiver['find'] = (is, what) =>
    waitFor(
      () => {
        const [first, ...others] = spans.filter(is);
        return first === undefined ? null : ([first, ...others] as const);
      },
      { what: `a span: ${what}` },
    );
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    find,
    hang: () => void (isHanging = true),
    stop,
  };
}

/** The fields of opentelemetry/proto/collector/trace/v1 that are read here (OTLP 1.0; field numbers never change). */
const proto = `
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message Status { string message = 2; int32 code = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    repeated KeyValue attributes = 9; Status status = 15;
  }`;

interface RawAttribute {
  readonly key: string;
  readonly value?: { stringValue?: string; intValue?: number; doubleValue?: number; boolValue?: boolean };
}
interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes?: readonly RawAttribute[];
  readonly status?: { readonly code?: number };
}
interface RawRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly RawAttribute[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly RawSpan[] }[];
  }[];
}

const requestType = protobuf.parse(proto).root.lookupType('Request');
const kinds = { 2: 'server', 3: 'client', 5: 'consumer' } as const;
const isKnown = (kind: number): kind is keyof typeof kinds => kind in kinds;

function decode(body: Buffer): ReceivedSpan[] {
  const { resourceSpans = [] } = requestType.toObject(requestType.decode(body), {
    longs: Number,
    bytes: String,
  }) as RawRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans
      .flatMap(({ spans = [] }) => spans)
      .map((span) => ({
        name: span.name,
        kind: isKnown(span.kind) ? kinds[span.kind] : 'other',
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId ?? ''),
        isError: span.status?.code === 2,
        attributes: record(span.attributes),
        resource: record(resource?.attributes),
      })),
  );
}

const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');

function record(attributes: readonly RawAttribute[] = []): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value = {} }) => [
      key,
      value.stringValue ?? value.intValue ?? value.doubleValue ?? String(value.boolValue ?? ''),
    ]),
  );
}
