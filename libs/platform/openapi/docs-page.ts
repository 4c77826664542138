import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
// The package's main file loads the whole user interface (30 MB) to tell where it lies.
import absolutePath from 'swagger-ui-dist/absolute-path.js';

const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Task Management API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>`;
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true });`;

/** Serves the committed document and a page to read and try it, out of files of ours: it works offline. */
export function serveDocs(fastify: FastifyInstance, documentFile: string): void {
  const send = (path: string, type: string, load: () => string | Promise<Buffer>) => {
    fastify.get(path, async (_request, reply) => {
      void reply.header('content-type', `${type}; charset=utf-8`).header('content-security-policy', policy);
      void reply.header('cache-control', 'public, max-age=300');
      return load();
    });
  };
  send('/openapi.json', 'application/json', () => readFile(documentFile));
  send('/docs', 'text/html', () => page);
  send('/docs/start.js', 'text/javascript', () => start);
  for (const [file, type] of Object.entries(assets)) {
    send(`/docs/${file}`, type, () => readFile(join(absolutePath(), file)));
  }
}
