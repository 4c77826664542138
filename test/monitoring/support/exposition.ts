export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^(\w+)(?:\{(.*)\})? (\S+)(?: -?\d+)?$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** The server's samples of these metrics, without timestamps: the scraper sets its own. */
export function samplesOf(text: string, names: ReadonlySet<string>): readonly Sample[] {
  return text.split('\n').flatMap((each) => {
    if (!names.has(/^\w+/.exec(each)?.[0] ?? '')) return [];
    const [, name, labels = '', value] = line.exec(each) ?? [];
    if (name === undefined || value === undefined) throw new Error(`This is no sample: ${each}`);
    const pairs = [...labels.matchAll(label)].map(([, key = '', quoted = '']) => [key, unquoted(quoted)]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: numberOf(value) }];
  });
}

/** Prometheus' text format, with the samples of each metric together. */
export function expositionOf(samples: readonly Sample[]): string {
  return [...Map.groupBy(samples, ({ name }) => name)]
    .map(([name, group]) => {
      const type = name.endsWith('_total') ? 'counter' : 'gauge';
      return `# TYPE ${name} ${type}\n${group.map(lineOf).join('')}`;
    })
    .join('');
}

function lineOf({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${quoted(text)}"`);
  return `${name}{${pairs.join(',')}} ${value}\n`;
}

const quoted = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const unquoted = (text: string): string =>
  text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

const numberOf = (text: string): number =>
  text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
