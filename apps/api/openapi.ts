import { readFile, writeFile } from 'node:fs/promises';
import { assembleDataPath } from '../../libs/platform/data-path.js';
import { PostgresServers } from '../../libs/platform/postgres/postgres-servers.js';
import { loadConfig } from '../../libs/platform/config/load.js';
import { createHttpApplication } from '../../libs/platform/http/http-application.js';
import { createOpenApiDocument } from '../../libs/platform/openapi/document.js';
import { Health } from '../../libs/platform/lifecycle/health.js';
import { AppModule } from './app.module.js';
import { apiVariables } from './config.js';

/** `openapi [--check]`: writes apps/api/openapi.json, or fails where it is stale. Needs no database. */
const file = new URL('../../../apps/api/openapi.json', import.meta.url);
const config = loadConfig(apiVariables);
const path = assembleDataPath(
  { config, applicationName: 'openapi', isCommand: true },
  new PostgresServers([], config),
  'openapi',
);
const health = new Health();
const { app } = await createHttpApplication(AppModule.register(config, path, health), config, health);
const document = createOpenApiDocument(app, {
  title: 'Task Management API',
  version: '1.0.0',
  description:
    'Auth, users and tasks. Errors are problems (RFC 9457); times are RFC 3339 in UTC; ids are UUIDv7.',
});
const text = `${JSON.stringify(document, null, 2)}\n`;
if (!process.argv.includes('--check')) await writeFile(file, text);
else if ((await readFile(file, 'utf8')) !== text) {
  process.stderr.write('apps/api/openapi.json is stale: run `npm run openapi` and commit it.\n');
  process.exit(1);
}
process.exit(0);
