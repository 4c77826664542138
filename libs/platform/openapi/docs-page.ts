import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
// The package's main file loads the whole user interface (30 MB) to tell where it lies.
import absolutePath from 'swagger-ui-dist/absolute-path.js';
import { conditionsOf, etagOf } from '../http/etag.js';

const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Task Management API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>`;
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true });`;

/** Serves the committed document and a page to read and try it, from files of this service: it works offline. */
export function serveDocs(fastify: FastifyInstance, documentFile: string): void {
  serve(fastify, '/openapi.json', 'application/json', () => readFile(documentFile));
  serve(fastify, '/docs', 'text/html', () => Promise.resolve(Buffer.from(page)));
  serve(fastify, '/docs/start.js', 'text/javascript', () => Promise.resolve(Buffer.from(start)));
  for (const [file, type] of Object.entries(assets))
    serve(fastify, `/docs/${file}`, type, () => readFile(join(absolutePath(), file)));
}

/** A file that is read with the first request for it and stays in memory. Clients may cache it, and ask whether it changed. */
function serve(fastify: FastifyInstance, path: string, type: string, load: () => Promise<Buffer>): void {
  let loaded: Promise<{ readonly body: Buffer; readonly etag: string }> | null = null;
  const loadOnce = () => {
    loaded ??= load().then((body) => ({
      body,
      etag: etagOf(createHash('sha1').update(body).digest('base64url')),
    }));
    // One that failed is tried again.
    loaded.catch(() => (loaded = null));
    return loaded;
  };
  fastify.get(path, async (request, reply) => {
    const { body, etag } = await loadOnce();
    void reply
      .header('content-type', `${type}; charset=utf-8`)
      .header('content-security-policy', policy)
      .header('cache-control', 'public, max-age=3600')
      .header('etag', etag);
    if (!conditionsOf(request).isNotModified(etag)) return body;
    return reply.code(304).send();
  });
}
