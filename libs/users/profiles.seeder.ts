import type { Database } from '../platform/database/database.js';

/** Makes a profile for each id, of which every tenth is premium; those that are there stay as they are. */
export async function seedProfiles(database: Database, userIds: readonly string[]): Promise<void> {
  await database.write(
    (manager) =>
      manager.query(
        `INSERT INTO users.profiles (id, name, timezone, tier)
       SELECT id, 'Seeded user ' || n, (ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo'])[1 + n % 4],
              CASE WHEN n % 10 = 0 THEN 'premium' ELSE 'free' END
       FROM unnest($1::uuid[]) WITH ORDINALITY AS seeded (id, n)
       ON CONFLICT ON CONSTRAINT pk_profiles DO NOTHING`,
        [userIds],
      ),
    // Nobody has seen them yet.
    { users: [] },
  );
}
