import { ConnectionLost, StatementTimedOut } from '../../libs/platform/postgres/connection-errors.js';
import { PostgresClient } from '../../libs/platform/postgres/postgres-client.js';
import type { BatchedRead } from '../../libs/platform/postgres/batched-read.js';
import { prepared, type Statement } from '../../libs/platform/postgres/statement.js';
import { sharedDatabase } from '../support/test-database.js';

let url: string;
const clients: PostgresClient[] = [];
beforeAll(async () => {
  url = await sharedDatabase('read-batches');
});
afterEach(() => clients.splice(0).forEach((client) => client.cut()));

async function connect(): Promise<PostgresClient> {
  const client = new PostgresClient({ connectionString: url, answerTimeoutMs: 5000 });
  clients.push(client);
  await client.connect();
  return client;
}

const echo = prepared('SELECT $1::text');
const divide = prepared('SELECT 1 / $1::int');
const broken = prepared('SELECT $1::text FROM nowhere');
const sleep = prepared('SELECT pg_sleep($1::float)');

/** What came of each read, in their order; `undefined` for no answer. */
async function run(client: PostgresClient, ...wanted: (readonly [Statement, unknown])[]) {
  const results: unknown[] = wanted.map(() => undefined);
  const reads: BatchedRead[] = wanted.map(([statement, value], n) => ({
    ...{ statement, values: [value], isGood: () => true, begin: () => undefined },
    answer: (rows) => (results[n] = rows),
    fail: (error) => (results[n] = error),
  }));
  const failure = await client.runReads(reads, 500);
  return { results, failure };
}

describe('reads in one message', () => {
  it('are answered each by its own rows, on a connection that knows their statements and on one that does not', async () => {
    const client = await connect();
    for (let time = 0; time < 2; time++) {
      const { results, failure } = await run(client, [echo, 'a'], [divide, 1], [echo, 'b'], [echo, null]);
      expect(results).toEqual([[['a']], [['1']], [['b']], [[null]]]);
      expect(failure).toBeNull();
    }
  });

  it('end with the first that fails: it is told, those before it have their rows, and those behind it were not run', async () => {
    const client = await connect();
    const { results, failure } = await run(client, [echo, 'a'], [divide, 0], [echo, 'b'], [divide, 1]);
    expect(results).toEqual([[['a']], expect.objectContaining({ code: '22012' }), undefined, undefined]);
    expect(failure).toMatchObject({ code: '22012' });
    // The statement that failed was parsed, and the connection can be used.
    expect((await run(client, [divide, 1], [echo, 'c'])).results).toEqual([[['1']], [['c']]]);
  });

  it('parse a statement again whose parsing failed', async () => {
    const client = await connect();
    expect((await run(client, [broken, 'a'], [broken, 'b'], [echo, 'c'])).results).toEqual([
      ...[expect.objectContaining({ code: '42P01' }), undefined, undefined],
    ]);
    await client.query('CREATE TEMPORARY TABLE nowhere AS SELECT 1');
    expect((await run(client, [broken, 'a'], [broken, 'b'], [echo, 'c'])).results).toEqual([
      ...[[['a']], [['b']], [['c']]],
    ]);
  });

  it('that take too long together are given up, and are neither answered nor told an error', async () => {
    const client = await connect();
    const { results, failure } = await run(client, [echo, 'a'], [sleep, 5], [echo, 'b']);
    expect(results).toEqual([undefined, undefined, undefined]);
    expect(failure).toBeInstanceOf(StatementTimedOut);
    await expect(client.query('SELECT 1')).rejects.toThrow();
  });

  it('have no answer where the connection breaks', async () => {
    const client = await connect();
    const running = run(client, [echo, 'a'], [sleep, 5], [echo, 'b']);
    setTimeout(() => client.cut(), 100);
    const { results, failure } = await running;
    expect(results).toEqual([undefined, undefined, undefined]);
    expect(failure).toBeInstanceOf(ConnectionLost);
  });
});
