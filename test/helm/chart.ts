import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './manifest.js';

export const chart = 'helm/task-api';

const tools = {
  helm3: { variable: 'HELM3', fallback: 'helm', what: 'Helm 3' },
  helm4: { variable: 'HELM4', fallback: 'helm4', what: 'Helm 4' },
  kubeconform: { variable: 'KUBECONFORM', fallback: 'kubeconform', what: 'kubeconform' },
  kubeScore: { variable: 'KUBE_SCORE', fallback: 'kube-score', what: 'kube-score' },
} as const;

export type Tool = keyof typeof tools;
export type Helm = 'helm3' | 'helm4';
export const helms: readonly Helm[] = ['helm3', 'helm4'];

/** Runs a tool with this input. A missing tool fails the test, because skipped checks look like passed ones. */
export function runTool(tool: Tool, args: readonly string[], input = ''): string {
  const { variable, fallback, what } = tools[tool];
  const path = process.env[variable] ?? fallback;
  try {
    return execFileSync(path, args, { input, encoding: 'utf8', maxBuffer: 64 << 20, timeout: 60_000 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(
        `${what} is needed: install it as "${fallback}" on the PATH, or name it by ${variable}.`,
        {
          cause: error,
        },
      );
    throw error;
  }
}

export interface Rendering {
  readonly helm?: Helm;
  /** Files under the chart, in their order. */
  readonly files?: readonly string[];
  /** As `--set-json`: `{ 'api.replicas': 3 }`. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
  readonly path?: string;
}

/** `helm template`. */
export function render({
  helm = 'helm3',
  files = [],
  set = {},
  args = [],
  path = chart,
}: Rendering = {}): string {
  return runTool(helm, [
    ...['template', 'tasks', path, '--namespace', 'shop', '--kube-version', '1.34.0'],
    ...files.flatMap((file) => ['--values', `${chart}/${file}`]),
    ...Object.entries(set).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]),
    ...args,
  ]);
}

/** Parses the rendered objects as Kubernetes does: YAML 1.1, in which 0440 is octal. */
export function parse(text: string): Manifest[] {
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

export const manifests = (rendering: Rendering = {}): Manifest[] => parse(render(rendering));

/** Helm's message when it refuses these values. */
export function refusal(rendering: Rendering): string {
  try {
    render(rendering);
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr);
  }
  throw new Error('Helm has rendered it.');
}

const ci = readdirSync(`${chart}/ci`);
const presets = readdirSync(chart).flatMap((file) => /^values-(.+)\.yaml$/.exec(file)?.[1] ?? []);

/** Every supported set of values: each file of ci/, and each preset with the values that it requires. */
export const variants: readonly (readonly [string, readonly string[]])[] = [
  ...ci
    .filter((file) => file.endsWith('-values.yaml'))
    .map((file) => [file.replace('-values.yaml', ''), [`ci/${file}`]] as const),
  ...presets.map((preset) => {
    const asked = `preset-${preset}.yaml`;
    return [
      `preset ${preset}`,
      [`values-${preset}.yaml`, ...(ci.includes(asked) ? [`ci/${asked}`] : [])],
    ] as const;
  }),
];
