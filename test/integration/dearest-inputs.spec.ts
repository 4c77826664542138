import { startApi, type Api } from '../support/api.js';
import { client, type Client, type Session } from '../support/client.js';
import { dearestInputs, dearTasks, type DearCall } from '../support/dearest-inputs.js';
import { listOperations } from '../support/openapi.js';
import { expectProblem } from '../support/problem.js';

let api: Api;
let calls: Client;
let heavy: Session;
let other: Session;
let taskId: string;

beforeAll(async () => {
  api = await startApi();
  calls = client(api.url);
  [heavy, other] = await Promise.all([calls.registerAndLogin(), calls.registerAndLogin()]);
  for (const raw of dearTasks())
    expect((await send({ method: 'POST', path: '/v1/tasks/bulk', raw })).status).toBe(200);
  const { body } = await calls.request<{ id: string }>('POST', '/v1/tasks', {
    token: heavy.accessToken,
    body: { title: 'one of many' },
  });
  taskId = body.id;
}, 120_000);
afterAll(async () => {
  calls.close();
  await api.stop();
});

const send = ({ method, path, raw }: DearCall) =>
  calls.request(method, path, {
    token: heavy.accessToken,
    timeoutMs: 30_000,
    ...(raw !== undefined && { raw, headers: { 'content-type': 'application/json' } }),
  });

const inputsOf = (name: string): readonly DearCall[] => {
  const inputs = dearestInputs[name];
  if (inputs === undefined)
    throw new Error(`test/support/dearest-inputs.ts must have the dearest of ${name}.`);
  return inputs({ taskId, email: heavy.email, refreshToken: heavy.refreshToken });
};

/** Calls of another user, one after the other, while `work` goes on. Returns how they were answered. */
async function othersWhile(work: Promise<unknown>): Promise<readonly string[]> {
  const seen: string[] = [];
  const state = { isOver: false };
  const end = work.finally(() => (state.isOver = true));
  while (!state.isOver || seen.length < 3)
    for (const [method, path, body] of [
      ['GET', '/v1/tasks', undefined],
      ['POST', '/v1/tasks', { title: 'quick' }],
      ['GET', '/v1/tasks/stats', undefined],
    ] as const) {
      const { status } = await calls.request(method, path, {
        token: other.accessToken,
        ...(body !== undefined && { body }),
      });
      seen.push(`${method} ${path} ${status}`);
    }
  await end;
  return [...new Set(seen)].sort();
}
const allServed = ['GET /v1/tasks 200', 'GET /v1/tasks/stats 200', 'POST /v1/tasks 201'];

describe.each(listOperations().map(({ method, path }) => `${method} ${path}`))(
  'the dearest inputs of %s',
  (name) => {
    it('are answered by what the service says of them, and others are served meanwhile', async () => {
      const inputs = inputsOf(name);
      const dozen = Array.from({ length: 12 }, (_, n) => inputs.slice(n % inputs.length).slice(0, 1)).flat();
      const answers = Promise.all(dozen.map(send));
      expect(await othersWhile(answers)).toEqual(allServed);
      for (const answer of await answers) {
        // Too many at once, of whoever sends them, are told so; nothing is a fault of ours.
        if (answer.status >= 500)
          expect(['query_too_expensive', 'password_queue_full']).toContain(expectProblem(answer, 503).code);
      }
    }, 60_000);
  },
);

it('ranked searches of all of them are answered, one after the other', async () => {
  const searches = inputsOf('GET /v1/tasks').filter(({ path }) => path.includes('relevance'));
  expect(searches.length).toBeGreaterThan(2);
  for (const search of searches) expect((await send(search)).status).toBe(200);
});
