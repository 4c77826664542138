import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { startServer, type Common, type ComparedServer } from '../server.js';

const execute = promisify(execFile);
const folder = import.meta.dirname;
const programs = join(folder, '..', '..', '..', 'node_modules', '.bin');

export async function startPrisma({ folder: logs, databaseUrl, publicKey }: Common): Promise<ComparedServer> {
  await installPackages();
  return startServer({
    name: 'prisma',
    folder: logs,
    program: ['load/compare/prisma/server.mjs'],
    env: { DATABASE_URL: databaseUrl, JWT_PUBLIC_KEY: publicKey },
  });
}

/** Express and Prisma are no packages of this project: they are installed here, when they are first needed. */
async function installPackages(): Promise<void> {
  const isThere = await access(join(folder, 'node_modules', '.prisma', 'client', 'index.js')).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  process.stdout.write('Installing Express and Prisma (npm ci) …\n');
  const PATH = [programs, process.env['PATH'] ?? ''].join(delimiter);
  // Prisma's command wants to download a program that `generate` does not use.
  const env = { ...process.env, PATH, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true' };
  const options = { cwd: folder, env, timeout: 300_000 };
  await execute('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], options);
  await execute(
    join(folder, 'node_modules', '.bin', 'prisma'),
    ['generate', '--schema=schema.prisma'],
    options,
  );
}
