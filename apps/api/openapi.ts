import { readFile, writeFile } from 'node:fs/promises';
import { createOpenApiDocument } from '../../libs/platform/openapi/document.js';
import { createOfflineApp } from './offline-app.js';

/** `openapi [--check]`: writes apps/api/openapi.json, or fails where it is stale. Needs no database. */
const file = new URL('../../../apps/api/openapi.json', import.meta.url);
const { app } = await createOfflineApp();
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
