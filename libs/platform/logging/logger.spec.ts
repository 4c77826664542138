import { QueryFailedError } from 'typeorm';
import { describeError, redactedPaths } from './logger.js';
import { pino } from 'pino';

describe('the log', () => {
  it('cuts out secrets by their names', () => {
    const lines: string[] = [];
    const log = pino({ redact: redactedPaths }, { write: (line: string) => void lines.push(line) });
    log.info({
      password: 'hunter2',
      body: { refresh_token: 'hunter2' },
      req: { headers: { authorization: 'hunter2' } },
    });
    expect(lines.join('')).toContain('[Redacted]');
    expect(lines.join('')).not.toContain('hunter2');
  });

  it('says of a database error what went wrong, without statement, parameters or values', () => {
    const driverError = Object.assign(new Error('duplicate key'), {
      code: '23505',
      constraint: 'uq_accounts_email',
      detail: 'Key (email)=(ada@example.com) already exists.',
    });
    const error = new QueryFailedError('INSERT INTO t VALUES ($1)', ['ada@example.com'], driverError);
    const text = JSON.stringify(describeError(new Error('outer', { cause: error })));
    expect(text).toContain('23505');
    expect(text).toContain('uq_accounts_email');
    expect(text).not.toContain('ada@example.com');
  });
});
