/**
 * `npm run monitoring:pictures -- FILE`: draws what `npm run test:monitoring` saved there (its panels' queries, answered by
 * a real Prometheus) as docs/pictures/*.svg and writes the page docs/monitoring.md around them, for who has no Grafana.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** A panel of a dashboard with what its queries gave. */
interface Panel {
  readonly title: string;
  /** As Grafana names it: `timeseries`, `stat`, `heatmap`, `table`. */
  readonly type: string;
  readonly unit: string;
  readonly series: readonly {
    readonly legend: string;
    /** Seconds since 1970, and the value there, null where it is no number. */
    readonly values: readonly (readonly [number, number | null])[];
  }[];
}

/** What the test saved; seconds since 1970. */
interface Figures {
  readonly start: number;
  readonly end: number;
  readonly panels: readonly Panel[];
}

/** What a unit's figures are multiplied by, and then called. */
const units: Readonly<Record<string, { readonly times: number; readonly name: string }>> = {
  reqps: { times: 1, name: 'requests/s' },
  ops: { times: 1, name: 'per second' },
  s: { times: 1000, name: 'ms' },
  percentunit: { times: 100, name: '%' },
  bytes: { times: 1 / 1024, name: 'KiB' },
  Bps: { times: 1 / 1024, name: 'KiB/s' },
};

/** More lines than these tell nobody anything. */
const maxSeries = 12;

const peak = ({ values }: Panel['series'][number]): number =>
  Math.max(...values.map(([, value]) => value ?? 0));

/** So many points of them at most: a picture is not wider, and its file no larger than it need be. */
function thinned<T>(values: readonly T[], most: number): readonly T[] {
  const every = Math.ceil(values.length / most);
  return values.filter((_, n) => n % every === 0);
}

const size = { width: 440, height: 180 };
const config = { background: 'white', font: 'sans-serif' };

function lines({ title, unit, series }: Panel, start: number): TopLevelSpec {
  const { times, name } = units[unit] ?? { times: 1, name: '' };
  const values = series
    .toSorted((a, b) => peak(b) - peak(a))
    .slice(0, maxSeries)
    .flatMap(({ legend, values }) =>
      thinned(values, 200).map(([second, value]) => ({
        seconds: second - start,
        value: value === null ? null : value * times,
        series: legend,
      })),
    );
  return {
    ...size,
    title,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.5 },
    encoding: {
      x: { field: 'seconds', type: 'quantitative', title: 's' },
      // From a cached answer to one that waited for a lock are three powers of ten.
      y: {
        field: 'value',
        type: 'quantitative',
        title: name,
        ...(unit === 's' && { scale: { type: 'log' } }),
      },
      color: {
        field: 'series',
        type: 'nominal',
        title: null,
        scale: { scheme: 'tableau20' },
        legend: { orient: 'bottom', columns: 2, labelLimit: 260 },
      },
    },
  };
}

/** Buckets are cumulated: what lies in one is what it has more than the one below. */
function heatmap({ title, series }: Panel, start: number): TopLevelSpec {
  const buckets = series
    .map(({ legend, values }) => ({
      bound: Number(legend.replace('+Inf', 'Infinity')),
      values: new Map(values),
    }))
    .toSorted((a, b) => a.bound - b.bound);
  const cells = buckets.flatMap(({ bound, values }, n) =>
    [...values].map(([second, value]) => ({
      seconds: Math.round(second - start),
      bound: bound === Infinity ? 'more' : String(bound * 1000),
      order: n,
      requests: Math.max(0, (value ?? 0) - (buckets[n - 1]?.values.get(second) ?? 0)),
    })),
  );
  return {
    ...size,
    height: 260,
    title,
    data: { values: cells },
    mark: 'rect',
    encoding: {
      x: { field: 'seconds', type: 'ordinal', title: 's', axis: { labelOverlap: true, labelAngle: 0 } },
      y: {
        field: 'bound',
        type: 'ordinal',
        sort: { field: 'order', order: 'descending' },
        title: 'up to ms',
      },
      color: {
        field: 'requests',
        type: 'quantitative',
        title: null,
        scale: { type: 'sqrt', scheme: 'blues' },
      },
    },
  };
}

/** @returns SVG. */
function draw(panel: Panel, start: number): Promise<string> {
  const { spec } = compile(panel.type === 'heatmap' ? heatmap(panel, start) : lines(panel, start), {
    config,
  });
  return new View(parse(spec), { renderer: 'none' }).toSVG();
}

const fileOf = (title: string): string =>
  `${title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '')}.svg`;

const source = process.argv[2];
if (source === undefined) throw new Error('Of which figures? npm run monitoring:pictures -- FILE');
const { start, panels } = JSON.parse(readFileSync(source, 'utf8')) as Figures;
const docs = join(import.meta.dirname, '..', 'docs');
const folder = join(docs, 'pictures');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const drawn = panels.filter(({ type }) => type === 'timeseries' || type === 'heatmap');
for (const panel of drawn) writeFileSync(join(folder, fileOf(panel.title)), await draw(panel, start));

const page = `<!-- Made by \`npm run monitoring:pictures\`. -->
# The overview, drawn

What the dashboard *Task API / Overview* shows, drawn without Grafana from the answers of a real Prometheus to the queries of its panels, while
\`npm run test:monitoring\` ran: two processes, a Postgres primary with a replica, Redis, some twenty requests a second, and one fault after the
other. The time is in seconds from the start of the test. Of panels with many series the ${maxSeries} greatest are shown.

${drawn.map(({ title }) => `![${title}](pictures/${fileOf(title)})`).join('\n')}

To make it anew:

\`\`\`sh
npm run test:monitoring -- --figures .cache/figures.json
npm run monitoring:pictures -- .cache/figures.json
\`\`\`
`;
writeFileSync(join(docs, 'monitoring.md'), page);
