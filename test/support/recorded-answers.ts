import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withPlaceholders } from './placeholders.js';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly options: {
    readonly token?: string;
    readonly headers?: object;
    readonly body?: unknown;
    readonly raw?: string | Buffer;
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly text: string;
}

interface Line {
  readonly test: string | undefined;
  /** Null until the response has arrived, and if none arrives. */
  answer: Answer | null;
  readonly call: Call;
}

const folder = process.env['RECORD_ANSWERS'];

/** Requests that overlap: their order, and so their responses, differ from run to run. */
let group: Line[] = [];
let underWay = 0;
let groups = 0;

/**
 * Sends the request. If RECORD_ANSWERS names a folder, it writes request and response there as a JSON line, into a file
 * named after the test file, without what differs between two runs; `scripts/compare-answers.mjs` compares such folders.
 */
export async function recorded<T extends Answer>(call: Call, send: () => Promise<T>): Promise<T> {
  if (folder === undefined) return send();
  const line: Line = { test: jestState()?.currentTestName, call, answer: null };
  group.push(line);
  underWay++;
  try {
    const answer = await send();
    line.answer = answer;
    return answer;
  } finally {
    underWay--;
    if (underWay === 0) writeGroup(folder);
  }
}

function writeGroup(folder: string): void {
  const lines = group;
  group = [];
  groups++;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${basename(jestState()?.testPath ?? 'other', '.ts')}.jsonl`);
  const together = lines.length > 1 ? { together: groups } : {};
  for (const line of lines) appendFileSync(file, `${JSON.stringify({ ...together, ...lineOf(line) })}\n`);
}

function lineOf({ test, call: { method, path, options }, answer }: Line): object {
  const { token, headers, body, raw } = options;
  const { content, wording } = withoutWording(answer === null ? null : contentOf(answer));
  const request = { method, path, token, headers, body: body ?? raw?.toString() };
  return {
    ...{ test, ...(withPlaceholders(request) as object) },
    status: answer?.status ?? null,
    answerHeaders: sorted(withPlaceholders(answer?.headers ?? {}) as object),
    answer: withPlaceholders(content),
    wording: withPlaceholders(wording),
  };
}

const sorted = (members: object): object =>
  Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The body; long bodies that are compared elsewhere are replaced by a description. */
function contentOf({ headers, body, text }: Answer): unknown {
  if (body !== null) return isDocument(body) ? '<OpenAPI document>' : body;
  if (text.startsWith('# HELP ')) return [...text.matchAll(/^# TYPE .*$/gm)].map(([type]) => type).sort();
  if (headers['content-type']?.startsWith('text/html') === true) return '<page>';
  return text.length > 500 ? createHash('sha256').update(text).digest('base64') : text;
}

const isDocument = (body: unknown): boolean => typeof body === 'object' && body !== null && 'openapi' in body;

/** Moves the texts of problems, which may be reworded, from the body to a separate list. */
function withoutWording(body: unknown): { readonly content: unknown; readonly wording: string[] } {
  const wording: string[] = [];
  const take = (value: unknown, isProblem: boolean): unknown => {
    if (Array.isArray(value)) return value.map((each) => take(each, isProblem));
    if (typeof value !== 'object' || value === null) return value;
    const isWorded = isProblem || ('code' in value && 'detail' in value);
    const members = Object.entries(value).flatMap(([name, each]) => {
      if (!isWorded || !['title', 'detail', 'message'].includes(name) || typeof each !== 'string')
        return [[name, take(each, isWorded)] as const];
      wording.push(`${name}: ${each}`);
      return [];
    });
    return Object.fromEntries(members);
  };
  return { content: take(body, false), wording };
}

/** Jest's `expect`, if this runs in a test. */
function jestState(): { readonly currentTestName?: string; readonly testPath?: string } | undefined {
  const { expect } = globalThis as {
    expect?: { getState(): { currentTestName?: string; testPath?: string } };
  };
  return expect?.getState();
}
