import { Injectable } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { ValidationFailed } from '../../platform/errors/common-errors.js';
import { UsersPort } from '../../users/users.port.js';
import type { StatsQuery, StatsView } from './stats.schemas.js';
import { statsStatement } from './task-stats.query.js';
import { postgresTimeZone, rangeOf } from './stats-range.js';

@Injectable()
export class TaskStatsService {
  constructor(
    private readonly database: Database,
    private readonly users: UsersPort,
  ) {}

  /**
   * Figures of the user's live tasks, all from one snapshot. Consistency: primary.
   *
   * @throws ValidationFailed for a range that is none or too long, and a time zone that Postgres does not know
   */
  async get(userId: string, query: StatsQuery): Promise<StatsView> {
    const timezone = query.timezone ?? (await this.users.timezoneOf(userId));
    const now = new Date();
    const { from, to } = rangeOf(query, timezone, now);
    const values = [userId, from, to, postgresTimeZone(timezone), now];
    const [figures] = await this.database
      .read((manager) => manager.query<Omit<StatsView, 'generated_at'>[]>(statsStatement, values))
      .catch(explainUnknownTimeZone);
    if (figures === undefined) throw new Error('An aggregate without a row');
    return { ...figures, generated_at: now };
  }
}

/** Node and Postgres each have their own copy of the time zones, of different years. */
function explainUnknownTimeZone(error: unknown): never {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const isUnknown = cause instanceof Error && 'code' in cause && cause.code === '22023';
  if (!isUnknown) throw error;
  throw new ValidationFailed([
    { pointer: '/timezone', code: 'unknown_timezone', message: 'is not known to the database' },
  ]);
}
