/**
 * The same tasks with Express and Prisma, as their guides show it: one client with its pool of 10, JSON Web Tokens checked by
 * jsonwebtoken, rows mapped to objects and serialised by Express. DATABASE_URL, PORT, JWT_PUBLIC_KEY.
 */
import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';
import express from 'express';
import jwt from 'jsonwebtoken';

const { DATABASE_URL, JWT_PUBLIC_KEY, PORT } = process.env;
const adapter = new PrismaPg({ connectionString: DATABASE_URL, max: 10 }, { schema: 'prisma' });
const prisma = new PrismaClient({ adapter });
const app = express();
app.disable('x-powered-by');
app.use(express.json());
app.use((request, response, next) => {
  try {
    const [, token = ''] = (request.headers.authorization ?? '').split(' ');
    request.userId = jwt.verify(token, JWT_PUBLIC_KEY, { algorithms: ['ES256'] }).sub;
    next();
  } catch {
    response.status(401).json({ title: 'Unauthorized' });
  }
});

app.get('/v1/tasks', async (request, response) => {
  const { userId, query } = request;
  const rows = await prisma.task.findMany({
    where: { userId, deletedAt: null, ...(query.cursor && after(query.cursor)) },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: 26,
  });
  const page = rows.slice(0, 25);
  const hasMore = rows.length > 25;
  const next_cursor = hasMore ? cursorOf(page.at(-1)) : null;
  response.json({ data: page.map(view), next_cursor, has_more: hasMore });
});

app.get('/v1/tasks/:id', async (request, response) => {
  const task = await prisma.task.findFirst({
    where: { id: request.params.id, userId: request.userId, deletedAt: null },
  });
  if (task === null) response.status(404).json({ title: 'Not Found' });
  else response.json(view(task));
});

app.post('/v1/tasks', async (request, response) => {
  const { title, description = '', status = 'todo', priority = 'none', due_at, tags = [] } = request.body;
  const now = new Date();
  const data = { id: randomUUID(), userId: request.userId, title, description, status, priority, tags };
  const times = { dueAt: due_at ? new Date(due_at) : null, createdAt: now, updatedAt: now };
  const completedAt = status === 'done' ? now : null;
  const task = await prisma.task.create({ data: { ...data, ...times, completedAt, version: 1 } });
  response.status(201).json(view(task));
});

app.patch('/v1/tasks/:id', async (request, response) => {
  const { title, status } = request.body;
  const where = { id: request.params.id, userId: request.userId, deletedAt: null };
  const data = { title, status, updatedAt: new Date(), version: { increment: 1 } };
  const [task] = await prisma.task.updateManyAndReturn({
    where,
    data: { ...data, ...(status && { completedAt: status === 'done' ? new Date() : null }) },
  });
  if (task === undefined) response.status(404).json({ title: 'Not Found' });
  else response.json(view(task));
});

const view = ({ userId: _userId, deletedAt: _deletedAt, ...task }) => ({
  id: task.id,
  title: task.title,
  description: task.description,
  status: task.status,
  priority: task.priority,
  due_at: task.dueAt,
  tags: task.tags,
  completed_at: task.completedAt,
  created_at: task.createdAt,
  updated_at: task.updatedAt,
  version: task.version,
});

/** The position of a task, in the form of the API's cursors. */
const cursorOf = ({ createdAt, id }) =>
  Buffer.from(JSON.stringify(['', [createdAt], id, null])).toString('base64url');

function after(cursor) {
  const [, [createdAt], id] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] };
}

app.listen(Number(PORT), '127.0.0.1', 1024);
