import { Counter } from 'prom-client';
import { registry } from '../../platform/metrics/registry.js';
import { RateLimited } from '../../platform/throttling/rate-limited.error.js';
import { InvalidCredentials } from '../auth.errors.js';

const attempts = new Counter({
  name: 'auth_attempts_total',
  help: 'Logins: `success`, `invalid_credentials`, `limited` (too many failed for that e-mail), `error` (of ours, or the passwords that wait are too many).',
  labelNames: ['result'],
  registers: [registry],
});

const results = ['success', 'invalid_credentials', 'limited', 'error'] as const;
for (const result of results) attempts.inc({ result }, 0);

/** Counts how an attempt to log in ended. */
export async function countingAttempt<T>(attempt: () => Promise<T>): Promise<T> {
  let result: (typeof results)[number] = 'error';
  try {
    const tokens = await attempt();
    result = 'success';
    return tokens;
  } catch (error) {
    if (error instanceof InvalidCredentials) result = 'invalid_credentials';
    else if (error instanceof RateLimited) result = 'limited';
    throw error;
  } finally {
    attempts.inc({ result });
  }
}
