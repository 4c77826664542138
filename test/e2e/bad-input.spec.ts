import { client, type ApiResponse, type Client, type Session } from '../support/client.js';
import { listOperations, type Operation, type Schema } from '../support/openapi.js';
import { expectProblem } from '../support/problem.js';

const withBody = listOperations().filter((operation) => operation.body !== null);
const withQuery = listOperations().filter((operation) => operation.queryParameters.length > 0);
const label = ({ method, path }: Operation) => `${method} ${path}`;

let api: Client;
let user: Session;
let taskId: string;

beforeAll(async () => {
  api = client();
  user = await api.registerAndLogin();
  const task = await api.request<{ id: string }>('POST', '/v1/tasks', {
    token: user.accessToken,
    body: { title: 'Kept', tags: ['a'] },
  });
  taskId = task.body.id;
});
afterAll(() => api.close());

const addressOf = ({ path }: Operation) => path.replace('{id}', taskId);
const send = (operation: Operation, raw: string, type = 'application/json') =>
  api.request(operation.method, addressOf(operation), {
    token: user.accessToken,
    raw,
    headers: { 'content-type': type },
  });

/** Values that no field of this API takes, as JSON text: some can't be written from a JavaScript value. */
const badValues: readonly string[] = [
  '"' + 'x'.repeat(20_000) + '"',
  '"a\\u0000b"',
  '"a\\u0007b\\u001b[31m"',
  '"\\ud800"',
  '1e400',
  '-1e400',
  '123456789012345678901234567890',
  '0.1',
  'true',
  '{}',
  '{"a":1}',
  '[[]]',
  '[null]',
  '[1e400]',
  '""',
];
/** What single fields take all the same: an open text may be empty, a flag may be true. */
function isTakenBy(schema: Schema, value: string): boolean {
  const [inner = schema] = (schema['anyOf'] as readonly Schema[] | undefined) ?? [];
  const { pattern, type, minLength } = inner;
  if (value === 'true') return type === 'boolean';
  return (
    value === '""' &&
    minLength === undefined &&
    typeof pattern === 'string' &&
    new RegExp(pattern, 'u').test('')
  );
}

describe('every route with a body', () => {
  it.each(withBody.map((o) => [label(o), o] as const))(
    '%s refuses what no field takes, and does nothing',
    async (_, operation) => {
      const before = await snapshot();
      for (const [field, schema] of Object.entries(operation.body?.properties ?? {})) {
        for (const value of badValues.filter((bad) => !isTakenBy(schema, bad))) {
          const answer = await send(operation, `{${JSON.stringify(field)}:${value}}`);
          expectRefusal(answer, `${field} = ${value.slice(0, 40)}`);
        }
      }
      expect(await snapshot()).toEqual(before);
    },
  );

  it.each(withBody.map((o) => [label(o), o] as const))(
    '%s refuses bodies that are no proper JSON object',
    async (_, operation) => {
      const before = await snapshot();
      const deep = '{"a":'.repeat(5000) + '1' + '}'.repeat(5000);
      const malformed = [
        '{',
        '{"title":"a",}',
        '{"title":"a","title":"b"}',
        '{"__proto__":{"a":1}}',
        '{"constructor":{}}',
        deep,
        '"\\ud800"',
      ];
      for (const raw of malformed) expectProblem(await send(operation, raw), 400, 'malformed_json');
      for (const raw of ['null', '1', '"x"', '[]', 'true', '{"no_such_field":1}'])
        expectProblem(await send(operation, raw), 422);
      expectProblem(await send(operation, ''), 400, 'body_required');
      expectProblem(await send(operation, '<a/>', 'text/xml'), 415);
      expectProblem(await send(operation, '{}', 'application/json; charset=latin1'), 415);
      expectProblem(await send(operation, `{"x":"${'x'.repeat(1024 * 1024)}"}`), 413);
      expect(await snapshot()).toEqual(before);
    },
  );

  it.each(withBody.filter((o) => o.method === 'POST').map((o) => [label(o), o] as const))(
    '%s takes no merge patch',
    async (_, operation) => {
      expectProblem(await send(operation, '{}', 'application/merge-patch+json'), 415);
    },
  );

  it.each(withBody.filter((o) => o.method === 'POST').map((o) => [label(o), o] as const))(
    '%s refuses null in each needed field, and says where',
    async (_, operation) => {
      for (const field of operation.body?.required ?? []) {
        const problem = expectProblem(
          await send(operation, `{${JSON.stringify(field)}:null}`),
          422,
          'validation_failed',
        );
        expect(problem.errors?.map((error) => error.pointer.split('/')[1])).toContain(field);
      }
    },
  );
});

describe('every route with a query', () => {
  const values = [
    '',
    '%00',
    '%ED%A0%80',
    '%FF',
    'x'.repeat(3000),
    '-1',
    '1e400',
    '%F0%9F%98%80',
    "'; DROP TABLE tasks.tasks; --",
    '../..',
  ];
  it.each(withQuery.map((o) => [label(o), o] as const))(
    '%s answers bad values with a problem or not at all differently',
    async (_, operation) => {
      for (const parameter of operation.queryParameters) {
        for (const value of values) {
          const answer = await api.request(
            operation.method,
            `${addressOf(operation)}?${parameter}=${value.includes('%') ? value : encodeURIComponent(value)}`,
            { token: user.accessToken },
          );
          // A search or a tag may be any text: then there is simply nothing to find.
          const isText = parameter === 'q' || parameter === 'tag';
          if (!isText || answer.status !== 200) expectRefusal(answer, `${parameter} = ${value.slice(0, 40)}`);
        }
      }
    },
  );

  it.each(withQuery.map((o) => [label(o), o] as const))(
    '%s refuses a parameter that it does not know',
    async (_, operation) => {
      const answer = await api.request(operation.method, `${addressOf(operation)}?no_such_parameter=1`, {
        token: user.accessToken,
      });
      expect(expectProblem(answer, 422).errors?.[0]?.pointer).toBe('/no_such_parameter');
    },
  );
});

function expectRefusal(answer: ApiResponse, what: string): void {
  // A token may be any text: then it is simply nobody's.
  const isRefused = [400, 401, 422].includes(answer.status);
  expect([what, isRefused ? 'refused' : `${answer.status} ${answer.text}`]).toEqual([what, 'refused']);
  expectProblem(answer, answer.status);
}

async function snapshot(): Promise<unknown> {
  const [tasks, me, sessions] = await Promise.all([
    api.request('GET', '/v1/tasks', { token: user.accessToken }),
    api.request('GET', '/v1/users/me', { token: user.accessToken }),
    api.request('GET', '/v1/auth/sessions', { token: user.accessToken }),
  ]);
  return [tasks.body, me.body, sessions.body];
}
