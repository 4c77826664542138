import type { Api } from '../../test/support/api.js';

interface Value {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The metrics of several processes at one moment. */
export class Metrics {
  private readonly values: readonly Value[];

  private constructor(values: readonly Value[]) {
    this.values = values;
  }

  static async of(apis: readonly Pick<Api, 'opsUrl'>[]): Promise<Metrics> {
    const texts = await Promise.all(apis.map(({ opsUrl }) => scrape(opsUrl)));
    return new Metrics(texts.flatMap(parse));
  }

  /** The number of series. */
  get size(): number {
    return this.values.length;
  }

  /** The sum over all processes and all labels that are not given. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.values
      .filter((value) => value.name === name)
      .filter((value) => Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted))
      .reduce((sum, { value }) => sum + value, 0);
  }
}

async function scrape(opsUrl: string): Promise<string> {
  return (await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
}

const line = /^(\w+)(?:\{(.*)\})? (\S+)$/;

function parse(text: string): Value[] {
  return text.split('\n').flatMap((each) => {
    const [, name, labels = '', value] = line.exec(each) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', text = '']) => [label, text]);
    return [{ name, value: Number(value), labels: Object.fromEntries(pairs) as Record<string, string> }];
  });
}
