import { client, newRegistration, type ApiResponse, type Client, type Session } from '../support/client.js';
import { listOperations, type Operation, type Schema } from '../support/openapi.js';
import { expectProblem, type Problem } from '../support/problem.js';

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

/** Values that no field of this API accepts, as JSON text, because some cannot be produced from a JavaScript value. */
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
/** A body that passes the validation of each operation, even if the call then fails. Add new operations here. */
const validBodies: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'POST /v1/auth/email/change': { current_password: 'not it', new_email: 'somebody@example.com' },
  'POST /v1/auth/email/confirm': { token: 'unknown' },
  'POST /v1/auth/login': { email: 'nobody@example.com', password: 'not the password' },
  'POST /v1/auth/password/change': { current_password: 'not it', new_password: 'correct horse battery' },
  'POST /v1/auth/password/forgot': { email: 'nobody@example.com' },
  'POST /v1/auth/password/reset': { token: 'unknown', password: 'correct horse battery' },
  'POST /v1/auth/refresh': { refresh_token: 'unknown' },
  'POST /v1/auth/register': { ...newRegistration() },
  'POST /v1/auth/resend-verification': { email: 'nobody@example.com' },
  'POST /v1/auth/verify-email': { token: 'unknown' },
  'POST /v1/tasks': { title: 'Valid' },
  'PATCH /v1/tasks/{id}': { title: 'Valid' },
  'POST /v1/tasks/bulk': { operations: [{ op: 'create', data: { title: 'Valid' } }] },
  'PATCH /v1/users/me': { name: 'Valid' },
};
function validBodyOf(operation: Operation): Readonly<Record<string, unknown>> {
  const body = validBodies[label(operation)];
  if (body === undefined) throw new Error(`This test must be told a valid body of ${label(operation)}.`);
  return body;
}

/** The object as JSON, with the value of one member replaced by raw JSON text. */
function jsonWith(members: Readonly<Record<string, unknown>>, field: string, value: string): string {
  const rest = Object.entries(members).filter(([name]) => name !== field);
  const texts = [
    ...rest.map(([name, other]) => [name, JSON.stringify(other)] as const),
    [field, value] as const,
  ];
  return `{${texts.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

/** Values that some fields do accept: a secret may be nearly any text, a flag may be true. */
function isTakenBy(schema: Schema, text: string): boolean {
  const [inner = schema] = (schema['anyOf'] as readonly Schema[] | undefined) ?? [];
  const { type, format, pattern, minLength = 0, maxLength = Infinity } = inner;
  const value: unknown = JSON.parse(text);
  if (typeof value === 'boolean') return type === 'boolean';
  if (typeof value !== 'string' || type !== 'string' || typeof pattern !== 'string' || format !== undefined)
    return false;
  const { length } = Array.from(value);
  return new RegExp(pattern, 'u').test(value) && length >= Number(minLength) && length <= Number(maxLength);
}

/** JSON.parse accepts it, I-JSON does not. */
const malformed = '"\\ud800"';

describe('every route with a body', () => {
  it.each(withBody.map((o) => [label(o), o] as const))(
    '%s accepts the valid body that the next test makes invalid',
    async (_, operation) => {
      const { text, status } = await send(operation, JSON.stringify(validBodyOf(operation)));
      expect(text).not.toContain('validation_failed');
      expect(status).toBeLessThan(500);
    },
  );

  it.each(withBody.map((o) => [label(o), o] as const))(
    '%s refuses invalid values in each field, names the field, and changes nothing',
    async (_, operation) => {
      const before = await snapshot();
      for (const [field, schema] of Object.entries(operation.body?.properties ?? {})) {
        for (const value of badValues.filter((bad) => bad === malformed || !isTakenBy(schema, bad))) {
          const answer = await send(operation, jsonWith(validBodyOf(operation), field, value));
          const fields = (answer.body as Partial<Problem> | null)?.errors?.map(
            ({ pointer }) => pointer.split('/')[1],
          );
          const expected = value === malformed ? [400, []] : [422, expect.arrayContaining([field])];
          expect([`${field} = ${value.slice(0, 40)}`, answer.status, fields]).toEqual([
            `${field} = ${value.slice(0, 40)}`,
            ...expected,
          ]);
          expectProblem(answer, answer.status);
        }
      }
      expect(await snapshot()).toEqual(before);
    },
  );

  it.each(withBody.map((o) => [label(o), o] as const))(
    '%s refuses bodies that are not valid JSON objects',
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
    '%s refuses a merge patch',
    async (_, operation) => {
      expectProblem(await send(operation, '{}', 'application/merge-patch+json'), 415);
    },
  );

  it.each(withBody.filter((o) => o.method === 'POST').map((o) => [label(o), o] as const))(
    '%s refuses null in each required field, and names the field',
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
    '%s answers invalid values with a problem, or as if they were valid',
    async (_, operation) => {
      for (const parameter of operation.queryParameters) {
        for (const value of values) {
          const answer = await api.request(
            operation.method,
            `${addressOf(operation)}?${parameter}=${value.includes('%') ? value : encodeURIComponent(value)}`,
            { token: user.accessToken },
          );
          // A search or a tag may be any text; it then finds nothing.
          const isText = parameter === 'q' || parameter === 'tag';
          if (!isText || answer.status !== 200) expectRefusal(answer, `${parameter} = ${value.slice(0, 40)}`);
        }
      }
    },
  );

  it.each(withQuery.map((o) => [label(o), o] as const))(
    '%s refuses an unknown parameter',
    async (_, operation) => {
      const answer = await api.request(operation.method, `${addressOf(operation)}?no_such_parameter=1`, {
        token: user.accessToken,
      });
      expect(expectProblem(answer, 422).errors?.[0]?.pointer).toBe('/no_such_parameter');
    },
  );
});

function expectRefusal(answer: ApiResponse, what: string): void {
  // A token may be any text; it then belongs to nobody.
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
