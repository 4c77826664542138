// For test programs that run parts of the product in their own process: resolves their imports of `apps/` and `libs/` to
// the build, because decorators need compiling. The programs themselves run as TypeScript, except for services and
// controllers that exist in tests alone, which are compiled as the build is.
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import './typescript-hook.mjs';

const require = createRequire(import.meta.url);
const root = new URL('../', import.meta.url).href;
// `exclude` is for the build: it keeps tests out of dist.
const { $schema, exclude, ...swc } = JSON.parse(readFileSync(new URL('.swcrc', root), 'utf8'));

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith('.') || context.parentURL === undefined) return next(specifier, context);
    const { href } = new URL(specifier, context.parentURL);
    const path = href.startsWith(root) ? href.slice(root.length) : '';
    return /^(apps|libs)\//.test(path) ? next(`${root}dist/${path}`, context) : next(specifier, context);
  },
  load(url, context, next) {
    if (!/\/test\/.*\.(service|controller)\.ts$/.test(url)) return next(url, context);
    // Only where it is needed, so that the memory of other programs is that of the product.
    const { transformSync } = require('@swc/core');
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), {
      ...swc,
      filename,
      swcrc: false,
      sourceMaps: 'inline',
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
