/**
 * `npm run monitoring:pictures -- FILE`: draws the figures that `npm run test:monitoring` saved in FILE (the queries of the
 * overview's panels, answered by a real Prometheus) as docs/operations/pictures/*.svg, and writes the page
 * docs/operations/dashboard-pictures.md around them, for readers without Grafana.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** A panel of a dashboard with the results of its queries. */
interface Panel {
  readonly title: string;
  /** Grafana's name of the type: `timeseries`, `stat`, `heatmap`, `table`. */
  readonly type: string;
  readonly unit: string;
  readonly series: readonly {
    readonly legend: string;
    /** Unix time in seconds and the value, null if it is not a number. */
    readonly values: readonly (readonly [number, number | null])[];
  }[];
}

/** The file that the test saved; times are Unix times in seconds. */
interface Figures {
  readonly start: number;
  readonly end: number;
  readonly panels: readonly Panel[];
}

/** The factor and the label of each unit. */
const units: Readonly<Record<string, { readonly times: number; readonly name: string }>> = {
  reqps: { times: 1, name: 'requests/s' },
  ops: { times: 1, name: 'per second' },
  s: { times: 1000, name: 'ms' },
  percentunit: { times: 100, name: '%' },
  bytes: { times: 1 / 1024, name: 'KiB' },
  Bps: { times: 1 / 1024, name: 'KiB/s' },
};

/** A panel with more lines would be unreadable. */
const maxSeries = 12;

const peak = ({ values }: Panel['series'][number]): number =>
  Math.max(...values.map(([, value]) => value ?? 0));

/** At most `maxCount` of the values: more would not be visible in a picture of this width. */
function thinned<T>(values: readonly T[], maxCount: number): readonly T[] {
  const every = Math.ceil(values.length / maxCount);
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
      // A cached response and one that waited for a lock differ by three powers of ten.
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

/** Buckets are cumulative: the count of one is its difference to the one below. */
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
if (source === undefined) throw new Error('Which file of figures? npm run monitoring:pictures -- FILE');
const { start, panels } = JSON.parse(readFileSync(source, 'utf8')) as Figures;
const docs = join(import.meta.dirname, '..', 'docs', 'operations');
const folder = join(docs, 'pictures');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const drawn = panels.filter(({ type }) => type === 'timeseries' || type === 'heatmap');
for (const panel of drawn) writeFileSync(join(folder, fileOf(panel.title)), await draw(panel, start));

const page = `<!-- Made by \`npm run monitoring:pictures\`. -->
# Pictures of the overview

These are the panels of the dashboard *Task API / Overview*, drawn without Grafana. A real Prometheus answered the queries of the panels while
\`npm run test:monitoring\` ran: two processes, a Postgres primary with a replica, Redis, some twenty requests a second, and one fault after the
other. The time is in seconds from the start of the test. Panels with many series show the ${maxSeries} largest.

${drawn.map(({ title }) => `![${title}](pictures/${fileOf(title)})`).join('\n')}

To draw them again:

\`\`\`sh
npm run test:monitoring -- --figures .cache/figures.json
npm run monitoring:pictures -- .cache/figures.json
\`\`\`
`;
writeFileSync(join(docs, 'dashboard-pictures.md'), page);
