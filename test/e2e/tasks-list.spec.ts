import { expectProblem } from '../support/problem.js';
import { newCaller, type Caller, type PageBody } from './tasks-fixture.js';

let user: Caller;

/** Seven tasks a … g, created in that order. */
beforeAll(async () => {
  user = await newCaller();
  const day = (n: number) => `2030-01-0${n}T00:00:00.000Z`;
  const bodies = [
    { title: 'a report', priority: 'low', due_at: day(3), tags: ['x', 'y'] },
    { title: 'b', priority: 'urgent', tags: ['x'] },
    { title: 'C', priority: 'high', due_at: day(1), status: 'done' },
    { title: 'd', priority: 'none', due_at: day(2), status: 'in_progress' },
    { title: 'E report report', priority: 'medium', status: 'cancelled' },
    { title: 'f', priority: 'low', due_at: '2020-01-01T00:00:00Z', tags: ['y', 'a,b'] },
    { title: 'g', priority: 'low', due_at: '2020-01-01T00:00:00Z', status: 'done' },
  ];
  for (const body of bodies) await user.create(body);
});
afterAll(() => user.close());

const titles = async (query: string) => (await user.list(query)).data.map(({ title }) => title[0]).join('');

/** All tasks from that page on, by the links, which must agree with the cursors. */
async function walkLinks(address: string): Promise<unknown[]> {
  const { body, headers } = await user.call<PageBody>('GET', address);
  expect(body.has_more).toBe(body.next_cursor !== null);
  const link = /^<\/v1\/tasks(\?[^>]+)>; rel="next"$/.exec(headers['link'] ?? '')?.[1];
  expect(new URLSearchParams(link).get('cursor')).toBe(body.next_cursor);
  return link === undefined ? [...body.data] : [...body.data, ...(await walkLinks(link))];
}

describe('a list', () => {
  it('shows the newest 25 first, and no tasks of other users', async () => {
    const stranger = await newCaller();
    expect(await stranger.list()).toEqual({ data: [], next_cursor: null, has_more: false });
    stranger.close();
    expect(await titles('')).toBe('gfEdCba');
    const { data } = await user.list();
    expect((await user.call('GET', `/${data[0]?.id ?? ''}`)).body).toEqual(data[0]);
  });

  it.each([
    ['?sort=created_at', 'abCdEfg'],
    ['?sort=title', 'abCdEfg'],
    ['?sort=-title', 'gfEdCba'],
    ['?sort=due_at', 'fgCdabE'],
    ['?sort=-due_at', 'adCgfEb'],
    ['?sort=-priority,due_at', 'bCEfgad'],
    ['?sort=priority,-due_at,title', 'dafgECb'],
    ['?status=done', 'gC'],
    ['?status=done,cancelled', 'gEC'],
    ['?status=cancelled,done', 'gEC'],
    ['?status=cancelled&status=done', 'gEC'],
    ['?priority=low,none&status=todo', 'fa'],
    ['?tag=x', 'ba'],
    ['?tag=y&tag=x', 'a'],
    ['?tag=a,b', 'f'],
    ['?tag=X', ''],
    ['?due_after=2030-01-02T00:00:00Z', 'da'],
    ['?due_before=2030-01-02T00:00:00Z', 'gfC'],
    ['?due_after=2030-01-01T00:00:00Z&due_before=2030-01-02T01:00:00%2B02:00', 'C'],
    ['?overdue=true', 'f'],
    ['?overdue=false', 'gEdCba'],
    ['?q=report', 'Ea'],
    ['?q=report&sort=relevance', 'Ea'],
    ['?q=report+-a', 'E'],
    ['?q=%2B-%26', ''],
    ['?deleted=true', ''],
    ['?limit=2', 'gf'],
  ])('with %s shows %s', async (query, expected) => {
    expect(await titles(query)).toBe(expected);
  });

  it('can be followed by cursors or by links, with the same query', async () => {
    for (const sort of ['-created_at', 'due_at', '-due_at', '-priority,title']) {
      const whole = (await user.list(`?sort=${sort}&status=todo,in_progress,done`)).data;
      expect(await walkLinks(`?sort=${sort}&status=todo,in_progress,done&limit=2`)).toEqual(whole);
    }
  });

  it('continues with another page size, and with the same filters in another form', async () => {
    const { next_cursor } = await user.list('?status=todo,done&sort=title&limit=1');
    const rest = await titles(`?sort=title&limit=50&status=done,todo&cursor=${next_cursor ?? ''}`);
    expect(rest).toBe('bCfg');
  });
});

describe('a cursor', () => {
  const refused = async (query: string) => {
    expectProblem(await user.call('GET', query), 400, 'invalid_cursor');
  };

  it('is refused for another query', async () => {
    const { next_cursor } = await user.list('?limit=1');
    for (const other of [
      'sort=created_at',
      'sort=-due_at',
      'status=todo',
      'tag=x',
      'q=report',
      'deleted=true',
    ])
      await refused(`?${other}&cursor=${next_cursor ?? ''}`);
    const ofDue = (await user.list('?limit=1&sort=due_at')).next_cursor ?? '';
    await refused(`?cursor=${ofDue}`);
  });

  it('is refused if the API did not issue it, and never causes a 5xx', async () => {
    for (const sort of ['-created_at', 'due_at', 'title', 'priority', 'relevance&q=report'])
      for (const forged of await forgeries(`?sort=${sort}&limit=1`))
        await refused(`?sort=${sort}&cursor=${forged}`);
    for (const garbage of ['x', 'bnVsbA', 'W10', '%2e%2e', '%F0%9F%92%A1'])
      await refused(`?cursor=${garbage}`);
    for (const cursor of ['', 'x'.repeat(5000), '%00', '%FF']) await refused(`?cursor=${cursor}`);
  });

  /** A valid cursor with one part made invalid. */
  async function forgeries(query: string): Promise<string[]> {
    const { next_cursor } = await user.list(query);
    const good = JSON.parse(Buffer.from(next_cursor ?? '', 'base64url').toString()) as unknown[];
    const bad: readonly (readonly unknown[])[] = [
      [null, 1, 'another', {}],
      [
        null,
        {},
        [],
        [null, null],
        ...[Number.MAX_VALUE, -1, {}, '\u0000', '\ud800', '9'.repeat(600)].map((key) => [key]),
      ],
      [null, 1, "'; --", 'infinity'],
      [1, {}, "'; --", 'infinity'],
    ];
    const changed = bad.flatMap((values, part) => values.map((value) => good.with(part, value)));
    const all = [...changed, good.slice(0, -1), [...good, 1], {}, null];
    return all.map((content) => Buffer.from(JSON.stringify(content)).toString('base64url'));
  }
});

describe('a query', () => {
  it.each([
    ['sort=name', '/sort'],
    ['sort=title,-title', '/sort'],
    ['sort=title,due_at,priority,created_at', '/sort'],
    ['sort=relevance', '/sort'],
    ['sort=', '/sort'],
    ['sort=--title', '/sort'],
    ['status=open', '/status'],
    ['status=todo,', '/status'],
    ['status=todo&status=open', '/status'],
    ['priority=9', '/priority'],
    ['limit=0', '/limit'],
    ['limit=101', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['overdue=yes', '/overdue'],
    ['deleted=1', '/deleted'],
    ['due_after=2026-01-01', '/due_after'],
    ['due_before=2026-13-01T00:00:00Z', '/due_before'],
    ['q=', '/q'],
    [`q=${'x'.repeat(201)}`, '/q'],
    ['q=a&q=b', '/q'],
    ['tag=', '/tag'],
    ['user_id=1', '/user_id'],
  ])('with %s is refused', async (query, pointer) => {
    const problem = expectProblem(await user.call('GET', `?${query}`), 422, 'validation_failed');
    expect(problem.errors?.[0]?.pointer.startsWith(pointer)).toBe(true);
  });
});
