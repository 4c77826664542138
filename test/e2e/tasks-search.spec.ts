import { newCaller, type Caller } from './tasks-fixture.js';

let user: Caller;

beforeEach(async () => {
  user = await newCaller();
});
afterEach(() => user.close());

const titles = async (query: string): Promise<string[]> =>
  (await user.list(`?limit=100&${query}`)).data.map(({ title }) => title);
const found = (q: string): Promise<string[]> => titles(`sort=title&q=${encodeURIComponent(q)}`);
const patch = async (id: string, body: Readonly<Record<string, unknown>>): Promise<void> => {
  const answer = await user.call('PATCH', `/${id}`, { body });
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
};

describe('a search follows each change of a task', () => {
  it('of its title, its description and its tags, each by itself and together', async () => {
    const { id } = await user.create({ title: 'Café — Größe', description: '讨论预算', tags: ['Ä'] });
    const look = async (): Promise<Record<string, number>> => {
      const queries = ['cafe', 'grosse', '"cafe grosse"', '预算', 'tee', '"tee kanne"', '会议'];
      const counts = await Promise.all(queries.map(async (q) => [q, (await found(q)).length] as const));
      const tags = await Promise.all(
        ['Ä', 'É'].map(
          async (tag) => [tag, (await titles(`tag=${encodeURIComponent(tag)}`)).length] as const,
        ),
      );
      return Object.fromEntries([...counts, ...tags].filter(([, count]) => count > 0));
    };
    const first = { cafe: 1, grosse: 1, '"cafe grosse"': 1, 预算: 1, Ä: 1 };
    expect(await look()).toEqual(first);
    await patch(id, { status: 'done' });
    expect(await look()).toEqual(first);
    await patch(id, { title: 'Tee/Kanne' });
    expect(await look()).toEqual({ tee: 1, '"tee kanne"': 1, 预算: 1, Ä: 1 });
    await patch(id, { description: '会议' });
    expect(await look()).toEqual({ tee: 1, '"tee kanne"': 1, 会议: 1, Ä: 1 });
    await patch(id, { tags: ['É'] });
    expect(await look()).toEqual({ tee: 1, '"tee kanne"': 1, 会议: 1, É: 1 });
    await patch(id, { description: null, tags: null });
    expect(await look()).toEqual({ tee: 1, '"tee kanne"': 1 });
    await patch(id, { title: 'Café Größe', description: '讨论预算', tags: ['Ä'] });
    expect(await look()).toEqual(first);
  });

  it('of which only case, accents or signs are new', async () => {
    const { id } = await user.create({ title: 'Resume today' });
    for (const title of ['Résumé today', 'RÉSUMÉ, today!', '“résumé” today']) {
      await patch(id, { title });
      expect(await found('"resume today"')).toEqual([title]);
    }
  });

  it('by a bulk call, and back from the trash', async () => {
    const { id } = await user.create({ title: 'Łódź' });
    const operations = [
      { op: 'create', data: { title: 'Kraków', description: 'x'.repeat(3000), tags: ['Ü'] } },
      { op: 'update', id, data: { title: 'Gdańsk', tags: ['Ü'] } },
    ];
    await user.call('POST', '/bulk', { body: { operations } });
    expect([await found('krakow'), await found('gdansk'), await found('lodz')]).toEqual([
      ['Kraków'],
      ['Gdańsk'],
      [],
    ]);
    expect((await titles(`tag=${encodeURIComponent('Ü')}`)).sort()).toEqual(['Gdańsk', 'Kraków']);
    await user.call('DELETE', `/${id}`);
    expect(await found('gdansk')).toEqual([]);
    await user.call('POST', `/${id}/restore`);
    expect(await found('gdansk')).toEqual(['Gdańsk']);
  });

  it('with one tag for its composed and its decomposed form', async () => {
    const { tags } = await user.create({ title: 'a', tags: ['caf\u00e9', 'cafe\u0301'] });
    expect(tags).toEqual(['caf\u00e9']);
    for (const tag of ['caf\u00e9', 'cafe\u0301'])
      for (const more of ['', '&status=todo', '&sort=-priority', '&q=a'])
        expect(await titles(`tag=${encodeURIComponent(tag)}${more}`)).toEqual(['a']);
  });
});

describe('by relevance', () => {
  it.each([
    ['a title comes before a description', 'tea', ['Buy tea', 'x: tea']],
    ['a whole word comes before a beginning', 'tea', ['Tea', 'Teapot', 'x: tea', 'x: teapot']],
    ['all alternatives come before some', 'tea or milk or rice', ['x: tea milk rice', 'Milk', 'x: rice']],
    ['more words in the title come first', 'green tea', ['Green tea', 'Green: tea', 'x: green tea']],
    [
      'a phrase counts as one word',
      '"green tea" or milk',
      ['Green tea: milk', 'Milk: green', 'x: green tea'],
    ],
    ['a single character counts, too', '茶', ['茶会', 'x: 喝茶']],
    ['case and accents make no difference', 'CAFÉ', ['Cafe', 'x: café']],
    ['a word that is left out does not count', 'tea -milk', ['Tea', 'x: tea']],
  ])('%s: %s', async (_, q, expected) => {
    await user.create({ title: 'Something else', description: 'milky tearing greenery' });
    // The first one is the oldest: without a rank it would be the last.
    for (const text of expected) {
      const [title, description = ''] = text.split(': ');
      await user.create({ title, description });
    }
    const all = await titles(`sort=relevance&q=${encodeURIComponent(q)}`);
    const shown = expected.map((text) => text.split(': ')[0]);
    expect(all.slice(0, expected.length)).toEqual(shown);
  });

  it('the newest comes first among equals', async () => {
    for (const title of ['Tea 1', 'Tea 2', 'Tea 3']) await user.create({ title });
    expect(await titles('sort=relevance&q=tea')).toEqual(['Tea 3', 'Tea 2', 'Tea 1']);
  });
});
