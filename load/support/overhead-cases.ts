import { join } from 'node:path';
import type { Api } from '../../test/support/api.js';
import type { OtlpReceiver } from '../../test/support/otlp-receiver.js';
import { waitFor } from '../../test/support/wait.js';
import { cpuSeconds } from './cpu.js';
import { Metrics } from './metrics.js';

type Environment = Readonly<Record<string, string>>;

/** One way to observe a process, and its maximum cost. */
export interface OverheadCase {
  readonly what: string;
  /** Maximum ratio: CPU of the observed process to CPU of the other one. */
  readonly atMost: number;
  readonly watched: Environment;
  readonly unwatched: Environment;
  /** After each pair: additional CPU time of the observation, in seconds, for this many seconds under load. */
  readonly additionalCpu?: (watched: Api, loadSeconds: number) => Promise<number> | number;
  /** Runs after `requests` of each. @throws if the one was not observed, or the other one was */
  readonly check: (watched: Api, unwatched: Api, requests: number) => unknown;
}

export const overheadCases = (receiver: OtlpReceiver): Readonly<Record<string, OverheadCase>> => ({
  metrics,
  logs,
  'traces-10': traces(receiver, 0.1, 1.25),
  'traces-0': traces(receiver, 0, 1.15),
});

const scrapeIntervalSeconds = 15;

const metrics: OverheadCase = {
  what: 'metrics',
  atMost: 1.03,
  watched: {},
  unwatched: { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'without-metrics.ts')}` },
  additionalCpu: async (api, loadSeconds) => {
    const before = cpuSeconds([api.pid]);
    await Metrics.of([api]);
    return ((cpuSeconds([api.pid]) - before) * loadSeconds) / scrapeIntervalSeconds;
  },
  check: async (watched, unwatched, requests) => {
    const counted = (await Metrics.of([watched])).sum('http_server_requests_total');
    if (counted < requests) throw new Error(`${counted} of ${requests} requests were counted.`);
    const series = (await Metrics.of([unwatched])).size;
    if (series > 0) throw new Error(`There are ${series} series in the process without metrics.`);
    const removed = unwatched.logs().match(/^without /gm)?.length;
    if (removed !== 4) throw new Error('What measures is no longer where without-metrics.ts looks for it.');
  },
};

const logs: OverheadCase = {
  what: 'logs',
  atMost: 1.08,
  watched: { LOG_LEVEL: 'info' },
  unwatched: { LOG_LEVEL: 'warn' },
  check: async (watched, unwatched, requests) => {
    // The last ones arrive a moment later.
    await waitFor(() => linesOf(watched) >= requests, { what: `${requests} lines of requests` });
    if (linesOf(unwatched) > 0) throw new Error('There are lines of requests where none belong.');
  },
};

const linesOf = (api: Api): number => api.logs().split('"msg":"request"').length - 1;

/** This process receives the spans, so that the receiver's CPU is not counted. */
function traces(receiver: OtlpReceiver, ratio: number, atMost: number): OverheadCase {
  let kept = 0;
  const collect = (): number => {
    kept += receiver.spans.filter(({ kind }) => kind === 'server').length;
    receiver.spans.length = 0;
    return 0;
  };
  return {
    what: `traces at ${ratio * 100} %`,
    atMost,
    watched: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: String(ratio),
    },
    unwatched: {},
    additionalCpu: collect,
    check: async (watched, _unwatched, requests) => {
      // A request that its caller samples comes last, whatever the share. Spans are sent in order.
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
      const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
      await fetch(`${watched.url}/v1/tasks`, { headers, signal: AbortSignal.timeout(5000) });
      await receiver.find((span) => span.traceId === traceId, 'that its caller keeps');
      collect();
      const share = (kept - 1) / requests;
      if (Math.abs(share - ratio) > ratio / 5) throw new Error(`${share} of the requests became a trace.`);
    },
  };
}
