import type { Database } from '../platform/database/database.js';
import type { SeedContext } from '../platform/features/define-feature.js';
import { uuidv7 } from '../platform/ids/uuid.js';
import type { AuthConfig } from './auth.config.js';
import { PasswordHasher } from './passwords/password-hasher.js';

const batchSize = 1000;
const password = 'correct horse battery';

/**
 * Makes verified accounts user1@example.com … whose password is "correct horse battery", with one hash for all: a hash
 * each would take minutes. Existing ones stay as they are. Tells the ids to the seeds after it, in the order of the numbers.
 */
export async function seedAccounts(context: SeedContext): Promise<void> {
  const { database, count } = context;
  const passwordHash = await new PasswordHasher(context.config as AuthConfig).hash(password);
  const ids: string[] = [];
  for (let first = 1; first <= count; first += batchSize) {
    ids.push(...(await seedBatch(database, first, Math.min(batchSize, count - first + 1), passwordHash)));
  }
  context.userIds = ids;
}

/** Nobody has seen them yet. */
const newToAll = { scopes: [] };

async function seedBatch(
  database: Database,
  first: number,
  count: number,
  passwordHash: string,
): Promise<string[]> {
  const emails = Array.from({ length: count }, (_, index) => `user${first + index}@example.com`);
  const rows = await database.write(async (manager) => {
    await manager.query(
      `INSERT INTO auth.accounts (id, email, email_verified_at, password_hash, registration_name, registration_timezone)
       SELECT id, email, now(), $3, 'Seeded user', 'UTC' FROM unnest($1::uuid[], $2::text[]) AS seeded (id, email)
       ON CONFLICT ((lower(email))) DO NOTHING`,
      [emails.map(() => uuidv7()), emails, passwordHash],
    );
    return manager.query<{ id: string }[]>(
      `SELECT id FROM unnest($1::text[]) WITH ORDINALITY AS wanted (email, n)
       JOIN auth.accounts account ON lower(account.email) = wanted.email ORDER BY n`,
      [emails],
    );
  }, newToAll);
  return rows.map(({ id }) => id);
}
