/**
 * The least that a server of tasks can be: Fastify and pg alone, JSON built by Postgres and sent as it comes. It shows what
 * the machine can do. DATABASE_URL, PORT, JWT_PUBLIC_KEY.
 */
import { randomUUID } from 'node:crypto';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { Pool } from 'pg';
import * as statements from './statements.js';
import { TokenReader } from './token-reader.js';

interface Query {
  readonly cursor?: string;
  readonly from?: string;
  readonly to?: string;
}
interface Body {
  readonly title?: string;
  readonly description?: string;
  readonly status?: string;
  readonly priority?: string;
  readonly due_at?: string;
  readonly tags?: string[];
}
interface Id {
  readonly id: string;
}

const { DATABASE_URL, JWT_PUBLIC_KEY = '', PORT } = process.env;
const pool = new Pool({ connectionString: DATABASE_URL, max: 10 });
const tokens = new TokenReader(JWT_PUBLIC_KEY);
const app = fastify();

const userOf = ({ headers }: FastifyRequest): string => tokens.userOf(headers.authorization ?? '');

/** Sends the JSON of the statement's one row; 404 where there is none. */
async function send(reply: FastifyReply, statement: statements.Statement, values: unknown[], status = 200) {
  const { rows } = await pool.query<[string]>({ ...statement, values, rowMode: 'array' });
  const json = rows[0]?.[0];
  if (json === undefined) return reply.code(404).send({ title: 'Not Found' });
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(json);
}

app.get<{ Querystring: Query }>('/v1/tasks', (request, reply) => {
  const { cursor } = request.query;
  if (cursor === undefined) return send(reply, statements.list, [userOf(request)]);
  const position = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string, [string], string];
  return send(reply, statements.listAfter, [userOf(request), position[1][0], position[2]]);
});

app.get<{ Querystring: Query }>('/v1/tasks/stats', (request, reply) => {
  const { from = null, to = null } = request.query;
  return send(reply, statements.stats, [userOf(request), from, to]);
});

app.get<{ Params: Id }>('/v1/tasks/:id', (request, reply) =>
  send(reply, statements.get, [request.params.id, userOf(request)]),
);

app.post<{ Body: Body }>('/v1/tasks', (request, reply) => {
  const {
    title,
    description = '',
    status = 'todo',
    priority = 'none',
    due_at = null,
    tags = [],
  } = request.body;
  const task = [title, description, status, priority, due_at, tags];
  return send(reply, statements.create, [randomUUID(), userOf(request), ...task], 201);
});

app.patch<{ Params: Id; Body: Body }>('/v1/tasks/:id', (request, reply) => {
  const { title = null, status = null } = request.body;
  return send(reply, statements.update, [request.params.id, userOf(request), title, status]);
});

await app.listen({ port: Number(PORT), host: '127.0.0.1', backlog: 1024 });
