/**
 * The least that a cached read can be: Fastify, one script in Redis for each request, and an answer that is ready. The script
 * counts the request and tells whether the answer is still the newest. DATABASE_URL, REDIS_URL, PORT, JWT_PUBLIC_KEY.
 */
import fastify from 'fastify';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { list } from '../bare/statements.js';
import { TokenReader } from '../bare/token-reader.js';

interface Entry {
  readonly version: number;
  readonly json: Buffer;
}

const { DATABASE_URL, REDIS_URL = '', JWT_PUBLIC_KEY = '', PORT } = process.env;
const pool = new Pool({ connectionString: DATABASE_URL, max: 10 });
const redis = new Redis(REDIS_URL, { enableAutoPipelining: true });
const tokens = new TokenReader(JWT_PUBLIC_KEY);
const app = fastify();

const script = String(
  await redis.script(
    'LOAD',
    `redis.call('INCR', KEYS[1])
     return tonumber(redis.call('GET', KEYS[2]) or 0)`,
  ),
);
const entries = new Map<string, Entry>();

async function listOf(userId: string): Promise<Buffer> {
  const version = Number(
    await redis.evalsha(script, 2, `compare:{${userId}}:count`, `compare:{${userId}}:version`),
  );
  const entry = entries.get(userId);
  if (entry?.version === version) return entry.json;
  const { rows } = await pool.query<[string]>({ ...list, values: [userId], rowMode: 'array' });
  const json = Buffer.from(rows[0]?.[0] ?? '');
  entries.set(userId, { version, json });
  return json;
}

app.get('/v1/tasks', async ({ headers }, reply) => {
  const json = await listOf(tokens.userOf(headers.authorization ?? ''));
  return reply.header('content-type', 'application/json; charset=utf-8').send(json);
});

await app.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 1024 });
