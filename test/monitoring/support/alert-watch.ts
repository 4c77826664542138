import type { PrometheusClient } from '../../support/prometheus-client.js';
import { waitFor } from '../../support/wait.js';
import { selectorsOf } from './selectors.js';

/** Seconds of Unix time. */
export const now = (): number => Date.now() / 1000;

export async function firingAlerts(prometheus: PrometheusClient): Promise<ReadonlySet<string>> {
  const alerts = await prometheus.alerts();
  const firing = alerts.filter(({ state }) => state === 'firing');
  return new Set(firing.map(({ labels }) => labels['alertname'] ?? ''));
}

/** Waits until all alerts fire. @returns The seconds that each took, by name. */
export async function untilFiring(
  prometheus: PrometheusClient,
  names: readonly string[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, number>> {
  const start = performance.now();
  const took = new Map<string, number>();
  await waitFor(
    async () => {
      const firing = await firingAlerts(prometheus);
      for (const name of names) {
        if (firing.has(name) && !took.has(name)) took.set(name, (performance.now() - start) / 1000);
      }
      const missing = names.filter((name) => !took.has(name));
      if (missing.length > 0) throw new Error(`not firing: ${missing.join(', ')}`);
      return true;
    },
    { timeoutMs, intervalMs: 250, what: names.join(', ') },
  );
  return took;
}

export const untilResolved = (prometheus: PrometheusClient, name: string, timeoutMs: number): Promise<true> =>
  waitFor(async () => !(await firingAlerts(prometheus)).has(name), {
    timeoutMs,
    intervalMs: 250,
    what: `the end of ${name}`,
  });

/** The current results of each selector of an expression, to explain why an alert does not fire. */
export async function valuesIn(prometheus: PrometheusClient, expr: string): Promise<string> {
  const lines: string[] = [];
  for (const selector of new Set(selectorsOf(expr))) {
    const found = await prometheus.query(selector);
    lines.push(
      `  ${selector}`,
      ...found
        .slice(0, 8)
        .map(({ metric, values }) => `    ${values[0]?.[1] ?? ''} ${JSON.stringify(metric)}`),
    );
  }
  return lines.join('\n');
}
