import { startServer, type Common, type ComparedServer } from '../server.js';

export const startBare = ({ folder, databaseUrl, publicKey }: Common): Promise<ComparedServer> =>
  startServer({
    name: 'bare',
    folder,
    program: ['--import=./scripts/typescript-hook.mjs', 'load/compare/bare/server.ts'],
    env: { DATABASE_URL: databaseUrl, JWT_PUBLIC_KEY: publicKey },
  });
