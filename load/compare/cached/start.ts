import { startServer, type Common, type ComparedServer } from '../server.js';

export const startCached = ({ folder, databaseUrl, redisUrl, publicKey }: Common): Promise<ComparedServer> =>
  startServer({
    name: 'cached',
    folder,
    program: ['--import=./scripts/typescript-hook.mjs', 'load/compare/cached/server.ts'],
    env: { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, JWT_PUBLIC_KEY: publicKey },
  });
