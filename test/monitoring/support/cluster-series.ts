import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { getProgram } from '../../support/programs.js';
import { serverPorts } from '../../support/ports.js';
import { runServer } from '../../support/server-process.js';
import { expositionOf, samplesOf, type Sample } from './exposition.js';
import { kubeletNames, kubeletSeries } from './kubelet-series.js';
import { stateSeries, type ClusterState, type Pod } from './state-series.js';

const timeoutMs = 5000;
/** Scrapes within this time get the same response. */
const stateFreshMs = 1000;
/** cAdvisor measures every 10 s or less often, and each request is expensive. */
const kubeletFreshMs = 5000;
/** A scrape fails if the last response is older. */
const oldestMs = 15_000;

export interface ClusterSeries {
  /** Port on loopback of the scrape target. */
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Starts a scrape target with the series of one namespace of the kubeconfig's cluster: those of kube-state-metrics, derived from
 * the API server's objects, and those of the kubelets and of cAdvisor, unchanged.
 */
export async function startClusterSeries(namespace: string): Promise<ClusterSeries> {
  const proxy = await startProxy();
  const scrape = scraper(proxy.url, namespace);
  try {
    await scrape();
  } catch (error) {
    await proxy.stop();
    throw error;
  }
  const server = createServer((_, response) => {
    scrape().then(
      (text) =>
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: unknown) => response.writeHead(503).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await proxy.stop();
    },
  };
}

/** Runs `kubectl proxy`, because kubectl supports all logins of a kubeconfig. It allows only reads. */
async function startProxy(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const [port = 0] = await serverPorts(1);
  const url = `http://127.0.0.1:${port}`;
  const server = await runServer({
    program: await getProgram('kubectl', 'kubernetes-client'),
    args: ['proxy', '--address=127.0.0.1', `--port=${port}`, '--reject-methods=^(POST|PUT|PATCH|DELETE)$'],
    isReady: async () => (await fetch(`${url}/version`, { signal: AbortSignal.timeout(timeoutMs) })).ok,
  });
  return { url, stop: server.stop };
}

function scraper(url: string, namespace: string): () => Promise<string> {
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(url + path, { signal: AbortSignal.timeout(timeoutMs) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.text();
  };
  const list = async <T>(path: string): Promise<readonly T[]> =>
    (JSON.parse(await get(path)) as { items: T[] }).items;

  const readState = kept(stateFreshMs, async (): Promise<ClusterState> => {
    const [autoscalers, deployments, pods] = await Promise.all([
      list<ClusterState['autoscalers'][number]>(
        `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`,
      ),
      list<ClusterState['deployments'][number]>(`/apis/apps/v1/namespaces/${namespace}/deployments`),
      list<Pod>(`/api/v1/namespaces/${namespace}/pods`),
    ]);
    return { autoscalers, deployments, pods };
  });

  const readNodes = kept(kubeletFreshMs, async () => {
    const nodes = await list<{ readonly metadata: { readonly name: string } }>('/api/v1/nodes');
    const paths = nodes.flatMap(({ metadata: { name } }) =>
      ['metrics', 'metrics/cadvisor'].map((path) => ({
        node: name,
        path: `/api/v1/nodes/${name}/proxy/${path}`,
      })),
    );
    return Promise.all(
      paths.map(async ({ node, path }) => ({ node, samples: samplesOf(await get(path), kubeletNames) })),
    );
  });

  return async () => {
    const [state, nodes] = await Promise.all([readState(), readNodes()]);
    const ofNodes = nodes.flatMap(({ node, samples }) =>
      kubeletSeries(samples, { node, namespace, pods: state.pods }),
    );
    return [
      "# kube-state-metrics' names, made by a test from the cluster's API\n",
      expositionOf(stateSeries(state).map(marked)),
      "# The kubelets' and cAdvisor's own, of this namespace\n",
      expositionOf(ofNodes),
    ].join('');
  };
}

const marked = (sample: Sample): Sample => ({ ...sample, labels: { ...sample.labels, source: 'test' } });

/**
 * Returns the last response at once unless it is too old, because a scrape comes every second and must not wait. If the response
 * is not fresh, it starts reading a new one for later scrapes.
 */
function kept<T>(freshMs: number, read: () => Promise<T>): () => Promise<T> {
  let last: { readonly value: T; readonly at: number } | null = null;
  let reading: Promise<T> | null = null;
  const readAnew = async (): Promise<T> => {
    try {
      const value = await read();
      last = { value, at: Date.now() };
      return value;
    } finally {
      reading = null;
    }
  };
  return () => {
    const ageMs = Date.now() - (last?.at ?? 0);
    if (ageMs >= freshMs && reading === null) {
      reading = readAnew();
      reading.catch(() => undefined);
    }
    return last !== null && ageMs < oldestMs ? Promise.resolve(last.value) : (reading ?? readAnew());
  };
}
