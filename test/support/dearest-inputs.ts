/** What one user can send that costs the service most. */

export interface DearCall {
  readonly method: string;
  readonly path: string;
  /** The body as it is sent. */
  readonly raw?: string;
}

/** What the calls name: a task and the account of the user who sends them. */
export interface Sender {
  readonly taskId: string;
  readonly email: string;
  readonly refreshToken: string;
}

const repeated = (text: string, length: number): string =>
  text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** Three words, 200 times each: what compares their places takes the product of their numbers. */
const threeWords = 'lorem ipsum dolor ';
/** All 36 words of one character, in the longest description. */
const alphabet = Array.from('abcdefghijklmnopqrstuvwxyz0123456789');
const longAlphabet = repeated(`${alphabet.join(' ')} `, 16_384);
/** Words that nobody has used: each makes entries of the index. */
const newWords = (seed: number, length: number): string =>
  repeated(Array.from({ length: 2000 }, (_, n) => `w${(seed * 2000 + n).toString(36)}`).join(' '), length);
const tags = Array.from({ length: 20 }, (_, n) => `tag ${n} ${'x'.repeat(40)}`);

/** 1,000 tasks that are dear to search in, as bodies of bulk calls of up to 100 operations. */
export const dearTasks = (): readonly string[] => [
  ...Array.from({ length: 9 }, () => bulk(100, { description: threeWords.repeat(200), tags })),
  bulk(20, { description: repeated('今天下午三点在上海开会讨论预算', 16_384) }),
  ...Array.from({ length: 2 }, () => bulk(50, { description: longAlphabet, due_at: '2026-12-24T18:00:00Z' })),
];

function bulk(count: number, data: object): string {
  const operations = Array.from({ length: count }, (_, n) => ({
    op: 'create',
    data: { title: `Task ${n}`, ...data },
  }));
  return JSON.stringify({ operations });
}

const phrase = encodeURIComponent(`"${repeated(threeWords, 190).trim()}"`);
const everyLetter = encodeURIComponent(alphabet.join(' '));
const anyLetter = encodeURIComponent(alphabet.slice(0, 30).join(' or '));

/** Nearly all words of a task begin with it. */
const oneLetter = 'l';
const someWords = encodeURIComponent(repeated('讨论预算', 200));

const lists = [
  `?sort=relevance&limit=100&q=${oneLetter}`,
  `?sort=relevance&limit=100&q=${encodeURIComponent('l or w or t or a or b')}`,
  `?q=${someWords}&sort=title`,
  `?q=${encodeURIComponent('ﷺ'.repeat(200))}`,
  `?sort=relevance&limit=100&q=${phrase}`,
  `?sort=relevance&limit=100&q=${everyLetter}`,
  `?sort=relevance&limit=100&q=${anyLetter}`,
  `?q=${phrase}&sort=title`,
  `?q=${everyLetter}`,
  `?${tags.map((tag) => `tag=${encodeURIComponent(tag)}`).join('&')}&sort=title&limit=100`,
  '?status=cancelled,done&priority=high,low&due_before=2027-01-01T00:00:00Z&sort=title,due_at,priority&limit=100',
  '?overdue=false&sort=-due_at&limit=100',
  '?deleted=true&sort=title&limit=100',
];

/** A valid document of nearly a megabyte. */
const manyKeys = `{${Array.from({ length: 90_000 }, (_, n) => `"k${n}":1`).join(',')}}`;
/** One that turns out to be none at its end. */
const broken = `[${'[],'.repeat(300_000)}`;

const get = (path: string): DearCall => ({ method: 'GET', path });
const post = (path: string, body: object): DearCall => ({ method: 'POST', path, raw: JSON.stringify(body) });
/** What each endpoint with a body reads before it can refuse it. */
const bodies = (method: string, path: string): DearCall[] =>
  [manyKeys, broken].map((raw) => ({ method, path, raw }));

/** Its begin is weak, so that its end is judged, too: of what takes longest, digits and signs that may stand for letters. */
const password = `${'1234567890'.repeat(6)}12340${'x'.repeat(31)}2832596 i8|63o5g9@p853@67!2i71%4`;
const weakPassword = `${'1234567890'.repeat(12)}12345`;

/** By the operation: a new endpoint joins here with the dearest that it takes. */
export const dearestInputs: Readonly<Record<string, (sender: Sender) => readonly DearCall[]>> = {
  'GET /.well-known/jwks.json': () => [get('/.well-known/jwks.json')],
  'GET /healthz': () => [get('/healthz')],
  'POST /v1/auth/login': ({ email }) => [
    post('/v1/auth/login', { email, password }),
    ...bodies('POST', '/v1/auth/login'),
  ],
  'POST /v1/auth/logout': () => bodies('POST', '/v1/auth/logout'),
  'POST /v1/auth/logout-all': () => bodies('POST', '/v1/auth/logout-all'),
  'POST /v1/auth/password/change': () => [
    post('/v1/auth/password/change', { current_password: password, new_password: weakPassword }),
    ...bodies('POST', '/v1/auth/password/change'),
  ],
  'POST /v1/auth/email/change': () => [
    post('/v1/auth/email/change', { current_password: password, new_email: 'somebody@example.com' }),
    ...bodies('POST', '/v1/auth/email/change'),
  ],
  'POST /v1/auth/email/confirm': () => [
    post('/v1/auth/email/confirm', { token: 'x'.repeat(43) }),
    ...bodies('POST', '/v1/auth/email/confirm'),
  ],
  'POST /v1/auth/password/forgot': ({ email }) => [
    post('/v1/auth/password/forgot', { email }),
    ...bodies('POST', '/v1/auth/password/forgot'),
  ],
  'POST /v1/auth/password/reset': () => [
    post('/v1/auth/password/reset', { token: 'x'.repeat(43), password }),
    ...bodies('POST', '/v1/auth/password/reset'),
  ],
  'POST /v1/auth/refresh': ({ refreshToken }) => [
    post('/v1/auth/refresh', { refresh_token: `${refreshToken}x` }),
    ...bodies('POST', '/v1/auth/refresh'),
  ],
  'POST /v1/auth/register': ({ email }) => [
    post('/v1/auth/register', { email, password, name: 'x'.repeat(100) }),
    post('/v1/auth/register', { email, password: weakPassword, name: 'x y '.repeat(25) }),
    ...bodies('POST', '/v1/auth/register'),
  ],
  'POST /v1/auth/resend-verification': ({ email }) => [
    post('/v1/auth/resend-verification', { email }),
    ...bodies('POST', '/v1/auth/resend-verification'),
  ],
  'POST /v1/auth/verify-email': () => [
    post('/v1/auth/verify-email', { token: 'x'.repeat(43) }),
    ...bodies('POST', '/v1/auth/verify-email'),
  ],
  'GET /v1/auth/sessions': () => [get('/v1/auth/sessions')],
  'DELETE /v1/auth/sessions/{id}': ({ taskId }) => [
    { method: 'DELETE', path: `/v1/auth/sessions/${taskId}` },
  ],
  'GET /v1/tasks': () => lists.map((query) => get(`/v1/tasks${query}`)),
  'POST /v1/tasks': () => [
    post('/v1/tasks', { title: 'x', description: newWords(1, 16_384), tags }),
    ...bodies('POST', '/v1/tasks'),
  ],
  'GET /v1/tasks/stats': () => [
    get('/v1/tasks/stats?from=2026-01-01&to=2026-12-31'),
    get('/v1/tasks/stats?from=2011-01-01&to=2011-12-31&timezone=Pacific/Apia'),
  ],
  'POST /v1/tasks/bulk': ({ taskId }) => [
    { method: 'POST', path: '/v1/tasks/bulk', raw: bulk(60, { description: newWords(2, 16_384), tags }) },
    post('/v1/tasks/bulk', {
      atomic: false,
      operations: Array.from({ length: 100 }, (_, n) => ({
        ...{ op: 'update', id: taskId, data: { description: newWords(n, 8000) } },
      })),
    }),
    ...bodies('POST', '/v1/tasks/bulk'),
  ],
  'GET /v1/tasks/{id}': ({ taskId }) => [get(`/v1/tasks/${taskId}`)],
  'PATCH /v1/tasks/{id}': ({ taskId }) => [
    {
      ...{ method: 'PATCH', path: `/v1/tasks/${taskId}` },
      raw: JSON.stringify({ description: newWords(3, 16_384), tags }),
    },
    ...bodies('PATCH', `/v1/tasks/${taskId}`),
  ],
  'DELETE /v1/tasks/{id}': ({ taskId }) => [{ method: 'DELETE', path: `/v1/tasks/${taskId}` }],
  'POST /v1/tasks/{id}/restore': ({ taskId }) => [{ method: 'POST', path: `/v1/tasks/${taskId}/restore` }],
  'GET /v1/users/me': () => [get('/v1/users/me')],
  'PATCH /v1/users/me': () => [
    { method: 'PATCH', path: '/v1/users/me', raw: JSON.stringify({ name: 'x'.repeat(100) }) },
    ...bodies('PATCH', '/v1/users/me'),
  ],
  // What is deleted costs no more.
  'DELETE /v1/users/me': () => bodies('DELETE', '/v1/users/me'),
  'GET /v1/users/me/export': () => [get('/v1/users/me/export')],
};
