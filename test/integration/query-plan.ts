import { escapeLiteral } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';

/** What a statement did when it was executed. */
export interface QueryPlan {
  /** The plan as text, for the message of a failing test. */
  readonly json: string;
  /** The types of its nodes. */
  readonly nodes: readonly string[];
  /** Without duplicates. */
  readonly indexes: readonly string[];
  /** Pages of 8 KiB that were read, of tables and indexes. */
  readonly buffers: number;
  /** The largest number of tasks that one node read, including those that its filter removed. */
  readonly rowsRead: number;
  /** Rows of the table that index-only scans had to fetch. */
  readonly heapFetches: number;
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  /** An average over the loops, like the number of removed rows. */
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Heap Fetches'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Node[];
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Whether Postgres plans for the values of the parameters, or once for any, as it does for named statements. */
export type Planning = 'force_custom_plan' | 'force_generic_plan';

export async function explain(
  dataSource: DataSource,
  statement: Statement,
  planning?: Planning,
): Promise<QueryPlan> {
  const root = await (planning === undefined
    ? run(dataSource, `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement.text}`, statement.values)
    : runPrepared(dataSource, statement, planning));
  const nodes = allOf(root);
  return {
    json: JSON.stringify(root, null, 1),
    nodes: nodes.map((node) => node['Node Type']),
    indexes: [...new Set(nodes.flatMap((node) => node['Index Name'] ?? []))],
    // The figures of the root include all nodes below it.
    buffers: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
    rowsRead: Math.max(0, ...nodes.map(tasksReadBy)),
    heapFetches: nodes.reduce((sum, node) => sum + (node['Heap Fetches'] ?? 0), 0),
  };
}

async function run(
  runner: DataSource | QueryRunner,
  text: string,
  values: readonly unknown[] = [],
): Promise<Node> {
  const rows = (await runner.query(text, [...values])) as {
    'QUERY PLAN': readonly { readonly Plan: Node }[];
  }[];
  const root = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (root === undefined) throw new Error('A statement without a plan');
  return root;
}

async function runPrepared(
  dataSource: DataSource,
  { text, values }: Statement,
  planning: Planning,
): Promise<Node> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query(`SET plan_cache_mode = ${planning}`);
    await runner.query(`PREPARE page AS ${text}`);
    const literals = values.map((value) => escapeLiteral(literalOf(value)));
    return await run(runner, `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE page (${literals.join(', ')})`);
  } finally {
    await runner.query('DEALLOCATE ALL');
    await runner.query('RESET plan_cache_mode');
    await runner.release();
  }
}

function literalOf(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map((member) => JSON.stringify(member)).join(',')}}`;
  return value instanceof Date ? value.toISOString() : String(value);
}

/** Those that ran: a plan may have parts for other cases. */
const allOf = (node: Node): readonly Node[] =>
  node['Actual Loops'] === 0 ? [] : [node, ...(node.Plans ?? []).flatMap(allOf)];

/** A bitmap index scan names only the index. */
function tasksReadBy(node: Node): number {
  if (node['Relation Name'] !== 'tasks' && node['Node Type'] !== 'Bitmap Index Scan') return 0;
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  return Math.round((node['Actual Rows'] + removed) * node['Actual Loops']);
}

/** A page reads 26 rows, which may be on as many pages of the table, and descends one index. */
export const rowsOfAPage = 26;
export const fewBuffers = 60;

/** The plan and the rules that it breaks, so that a failure shows both. */
function broken(plan: QueryPlan, rules: Readonly<Record<string, boolean>>): readonly string[] {
  const names = Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [rule]));
  return names.length === 0 ? [] : [...names, plan.json];
}

/** The plan must read an index in its order, from the start of the page to its end, and nothing else. */
export function expectWalk(plan: QueryPlan, index = /^idx_tasks_/): void {
  const rules = {
    'only walks an index': plan.nodes.join() === 'Limit,Index Scan',
    'the right one': plan.indexes.every((name) => index.test(name)),
    'reads the rows of the page': plan.rowsRead <= rowsOfAPage,
    'reads few buffers': plan.buffers < fewBuffers,
  };
  expect(broken(plan, rules)).toEqual([]);
}

export function expectReads(plan: QueryPlan, limits: { rows: number; buffers: number }): void {
  const rules = {
    [`reads ${plan.rowsRead} of ${limits.rows} rows`]: plan.rowsRead <= limits.rows,
    [`reads ${plan.buffers} of ${limits.buffers} buffers`]: plan.buffers <= limits.buffers,
    'reads no table as a whole': !plan.nodes.includes('Seq Scan'),
  };
  expect(broken(plan, rules)).toEqual([]);
}
