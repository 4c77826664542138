import { Inject, Injectable } from '@nestjs/common';
import type { Cache } from '../../platform/cache/cache.js';
import { answerCache } from '../../platform/cache/define-cache.js';
import { Serialized } from '../../platform/cache/serialized.js';
import { Database } from '../../platform/database/database.js';
import { UsersPort } from '../../users/users.port.js';
import { tasks } from '../tasks.port.js';
import { daysOf, rangeOf } from './stats-range.js';
import { statsSchema, type StatsQuery, type StatsView } from './stats.schemas.js';
import { statsStatement } from './task-stats.query.js';
import { zoneOffsets } from './zone-offsets.js';

/** Figures, by the range of days and the time zone. */
export const taskStats = answerCache({ name: 'task-stats', ttlMs: 60_000, dependsOn: [tasks] }, statsSchema);

/**
 * Figures of a user's live tasks. Both methods throw ValidationFailed for a range that is empty or too long.
 */
@Injectable()
export class TaskStatsService {
  constructor(
    private readonly database: Database,
    private readonly users: UsersPort,
    @Inject(taskStats.token) private readonly cache: Cache<Serialized<StatsView>>,
  ) {}

  /** The figures as JSON, from the cache where it can be: `generated_at` tells how old they are. */
  async cached(userId: string, query: StatsQuery): Promise<Serialized<StatsView>> {
    // Before the key is built, because the zone of the profile may change.
    const timezone = await this.timezoneOf(userId, query);
    const key = [query.from ?? '', query.to ?? '', timezone].join(' ');
    return this.cache.through(key, async () => ({
      value: await this.read(userId, { ...query, timezone }),
    }));
  }

  /** The figures as JSON, all from one snapshot. Consistency: as `Database.read`. */
  async read(userId: string, query: StatsQuery): Promise<Serialized<StatsView>> {
    const timezone = await this.timezoneOf(userId, query);
    const now = new Date();
    const { from, to } = rangeOf(query, timezone, now);
    const zone = zoneOffsets(timezone, from, to, now);
    const values = [userId, from, to, zone.from, now, daysOf(from, to), zone.offsets];
    const [row] = await this.database.rows(statsStatement, values);
    const json = row?.[0];
    if (typeof json !== 'string') throw new Error('Statistics without a row');
    return Serialized.ofJson<StatsView>(json);
  }

  private async timezoneOf(userId: string, { timezone }: StatsQuery): Promise<string> {
    return timezone ?? (await this.users.timezoneOf(userId));
  }
}
