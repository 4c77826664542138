/** One series of a response; `values` are pairs of Unix time in seconds and a number as text (`NaN`, `+Inf`). */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
  readonly activeAt: string;
}

interface Answer<T> {
  readonly status: 'success' | 'error';
  readonly data: T;
  readonly error?: string;
}
interface QueryResult {
  readonly resultType: 'vector' | 'matrix' | 'scalar' | 'string';
  readonly result: unknown;
}
interface Sample {
  readonly metric: Series['metric'];
  readonly value: Series['values'][number];
}
interface ExemplarsOfSeries {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: string;
  }[];
}

const timeoutMs = 10_000;

/** Prometheus' HTTP API. Times are Unix times in seconds. Every method throws the errors that Prometheus reports. */
export class PrometheusClient {
  constructor(readonly url: string) {}

  async isReady(): Promise<boolean> {
    const answer = await fetch(`${this.url}/-/ready`, { signal: AbortSignal.timeout(2000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  }

  /** Reloads the configuration. */
  async reload(): Promise<void> {
    const answer = await fetch(`${this.url}/-/reload`, {
      method: 'POST',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`Prometheus did not take its configuration: ${text}`);
  }

  /** A scalar becomes a series without labels. */
  async query(expr: string, time?: number): Promise<readonly Series[]> {
    const { resultType, result } = await this.ask<QueryResult>('query', {
      query: expr,
      ...(time === undefined ? {} : { time }),
    });
    if (resultType === 'vector') {
      return (result as Sample[]).map(({ metric, value }) => ({ metric, values: [value] }));
    }
    if (resultType === 'scalar') return [{ metric: {}, values: [result as Sample['value']] }];
    throw new Error(`An instant query gave a ${resultType}.`);
  }

  async range(expr: string, start: number, end: number, step: number): Promise<readonly Series[]> {
    const { result } = await this.ask<QueryResult>('query_range', { query: expr, start, end, step });
    return result as Series[];
  }

  /** Labels of all series that the selector matched in that time. */
  series(selector: string, start: number, end: number): Promise<readonly Series['metric'][]> {
    return this.ask('series', { 'match[]': selector, start, end });
  }

  labelValues(label: string, selector: string): Promise<readonly string[]> {
    return this.ask(`label/${label}/values`, { 'match[]': selector });
  }

  exemplars(expr: string, start: number, end: number): Promise<readonly ExemplarsOfSeries[]> {
    return this.ask('query_exemplars', { query: expr, start, end });
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.ask<{ alerts: ActiveAlert[] }>('alerts', {})).alerts;
  }

  private async ask<T>(path: string, parameters: Readonly<Record<string, string | number>>): Promise<T> {
    const query = new URLSearchParams(
      Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const response = await fetch(`${this.url}/api/v1/${path}?${query.toString()}`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status, data, error = '' } = (await response.json()) as Answer<T>;
    if (status !== 'success') throw new Error(error);
    return data;
  }
}
