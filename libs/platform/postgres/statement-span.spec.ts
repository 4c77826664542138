import { describeStatement } from './statement-span.js';

const server = { address: 'db', port: 5432, database: 'task_api' };
const summaryOf = (text: string) => describeStatement(text, server).name;

describe('the span of a statement', () => {
  it.each([
    ['SELECT "t"."id" FROM "tasks"."tasks" "t" WHERE "t"."id" = $1', 'SELECT tasks.tasks'],
    ['INSERT INTO auth.outbox (id) VALUES ($1)', 'INSERT auth.outbox'],
    ['UPDATE auth.sessions SET revoked_at = now()', 'UPDATE auth.sessions'],
    ['\n  with found as (select 1 from tasks.tasks) select * from found', 'WITH tasks.tasks'],
    [
      'WITH due AS (SELECT id FROM tasks.outbox FOR UPDATE SKIP LOCKED) DELETE FROM tasks.outbox USING due',
      'DELETE tasks.outbox',
    ],
    ['COMMIT', 'COMMIT'],
    ['', 'OTHER'],
  ])('is named by operation and table: %s', (text, name) => {
    expect(summaryOf(text)).toBe(name);
  });

  it('holds nothing else of the statement', () => {
    const span = describeStatement("SELECT * FROM auth.accounts WHERE email = 'ada@example.com'", server);
    expect(JSON.stringify(span)).not.toContain('ada');
  });
});
