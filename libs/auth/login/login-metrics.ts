import { Injectable } from '@nestjs/common';
import { Metrics } from '../../platform/metrics/metrics.js';
import type { SeriesCounter } from '../../platform/metrics/series.js';
import { RateLimited } from '../../platform/throttling/rate-limited.error.js';
import { InvalidCredentials } from '../auth.errors.js';

const results = ['success', 'invalid_credentials', 'limited', 'error'] as const;
type Result = (typeof results)[number];

/** Counts the outcomes of login attempts. */
@Injectable()
export class LoginMetrics {
  private readonly attempts: SeriesCounter<'result'>;

  constructor(metrics: Metrics) {
    this.attempts = metrics.counter({
      name: 'auth_attempts_total',
      help: 'Logins: `success`, `invalid_credentials`, `limited` (too many failed for that e-mail), `error` (a failure of the service, or too many passwords waiting to be checked).',
      labelNames: ['result'],
    });
    for (const result of results) this.attempts.series({ result });
  }

  async count<T>(attempt: () => Promise<T>): Promise<T> {
    let result: Result = 'error';
    try {
      const tokens = await attempt();
      result = 'success';
      return tokens;
    } catch (error) {
      if (error instanceof InvalidCredentials) result = 'invalid_credentials';
      else if (error instanceof RateLimited) result = 'limited';
      throw error;
    } finally {
      this.attempts.series({ result }).inc();
    }
  }
}
