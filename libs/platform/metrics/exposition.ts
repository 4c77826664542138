import { Registry, type OpenMetricsContentType, type RegistryContentType } from 'prom-client';

interface Metric {
  readonly name: string;
  readonly type: string;
  get(): Promise<object>;
}

/** prom-client's own step from a metric to its text, which its types leave out. */
interface Writer {
  readonly contentType: string;
  getMetricsAsString(metric: Pick<Metric, 'get'>): Promise<string>;
}

const [plain, open] = [Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE].map((type) => {
  const registry = new Registry<RegistryContentType>();
  registry.setContentType(type);
  return registry as unknown as Writer;
}) as [Writer, Writer];

/**
 * The metrics in the format that `accept` asks for: OpenMetrics, with exemplars, or else Prometheus' plain text.
 * Not by `registry.metrics()`: for OpenMetrics that takes `_total` from the counters' names for good (prom-client 15.1),
 * so that plain text would lack it from then on.
 */
export async function expose(
  registry: Pick<Registry<OpenMetricsContentType>, 'getMetricsAsArray'>,
  accept = '',
): Promise<{ type: string; body: string }> {
  const isOpen = accept.includes('application/openmetrics-text');
  const writer = isOpen ? open : plain;
  const metrics = registry.getMetricsAsArray() as unknown as readonly Metric[];
  const texts = await Promise.all(
    metrics.map((metric) => writer.getMetricsAsString(isOpen ? withFamilyName(metric) : metric)),
  );
  return {
    type: writer.contentType,
    body: isOpen ? `${texts.join('\n')}\n# EOF\n` : `${texts.join('\n\n')}\n`,
  };
}

/** OpenMetrics names a counter without its `_total`, which each of its lines gets. */
function withFamilyName(metric: Metric): Pick<Metric, 'get'> {
  if (metric.type !== 'counter') return metric;
  const name = metric.name.replace(/_total$/, '');
  return { get: async () => ({ ...(await metric.get()), name }) };
}
