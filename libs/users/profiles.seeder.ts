import type { SeedContext } from '../platform/features/define-feature.js';

/** Makes a profile for each user, of which every tenth is premium; existing ones stay as they are. */
export async function seedProfiles({ database, userIds }: SeedContext): Promise<void> {
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
    { scopes: [] },
  );
}
