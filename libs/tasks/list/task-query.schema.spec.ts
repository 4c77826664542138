import { queryKey, taskQuerySchema } from './task-query.schema.js';

const keyOf = (query: Readonly<Record<string, unknown>>) => queryKey(taskQuerySchema.parse(query));

describe('the key of a query', () => {
  it('is the same for the same list, in whatever way the client asks for it', () => {
    const key = keyOf({
      status: 'todo,done',
      tag: ['a', 'b'],
      limit: '25',
      due_after: '2026-05-01T00:00:00Z',
    });
    expect(
      keyOf({ due_after: '2026-05-01T02:00:00+02:00', tag: ['b', 'a', 'b'], status: 'done,todo,done' }),
    ).toBe(key);
    expect(keyOf({})).toBe(keyOf({ sort: '-created_at', deleted: 'false' }));
  });

  it('is another one for each other value of each parameter', () => {
    const queries = [
      {},
      { status: 'todo' },
      { status: 'todo,done' },
      { priority: 'none' },
      { tag: 'todo' },
      { tag: ['todo', 'done'] },
      { tag: 'todo,done' },
      { due_after: '2026-05-01T00:00:00Z' },
      { due_before: '2026-05-01T00:00:00Z' },
      { overdue: 'true' },
      { overdue: 'false' },
      { q: 'todo' },
      { deleted: 'true' },
      { sort: 'title,due_at' },
      { sort: 'due_at,title' },
      { limit: '24' },
      { cursor: 'x' },
    ];
    const known = new Set(queries.flatMap((query) => Object.keys(query)));
    expect([...known].sort()).toEqual(Object.keys(taskQuerySchema.shape).sort());
    expect(new Set(queries.map(keyOf)).size).toBe(queries.length);
  });
});
