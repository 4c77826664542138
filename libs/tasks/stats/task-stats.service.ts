import { Injectable } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { ValidationFailed } from '../../platform/errors/common-errors.js';
import { UsersPort } from '../../users/users.port.js';
import { answerOf } from '../../platform/cache/answer.js';
import type { Cache } from '../../platform/cache/cache.js';
import { Caches } from '../../platform/cache/caches.js';
import type { CachedAnswer } from '../../platform/cache/memory-layer.js';
import { statsSchema, type StatsQuery, type StatsView } from './stats.schemas.js';
import { statsStatement } from './task-stats.query.js';
import { postgresTimeZone, rangeOf } from './stats-range.js';

@Injectable()
export class TaskStatsService {
  private readonly cache: Cache;

  constructor(
    private readonly database: Database,
    private readonly users: UsersPort,
    caches: Caches,
  ) {
    this.cache = caches.named({ name: 'task-stats', ttlMs: 60_000, features: ['tasks'] });
  }

  /** The figures as an answer, kept for a minute: `generated_at` tells how old they are. Throws as `get`. */
  async answer(userId: string, query: StatsQuery): Promise<CachedAnswer> {
    // Before the key is built, which is for one zone: the user's own may change.
    const timezone = query.timezone ?? (await this.users.timezoneOf(userId));
    const key = [query.from ?? '', query.to ?? '', timezone].join(' ');
    return this.cache.through(key, async () =>
      answerOf(statsSchema.parse(await this.get(userId, { ...query, timezone }))),
    );
  }

  /**
   * Figures of the user's live tasks, all from one snapshot. Consistency: as `Database.read`.
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
