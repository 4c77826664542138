// Lets Node run TypeScript sources directly (Node strips the types): it resolves imports of `./x.js` to `./x.ts`. For files
// without decorators and other syntax that needs compiling.
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const ours =
      specifier.startsWith('.') &&
      specifier.endsWith('.js') &&
      !context.parentURL?.includes('/node_modules/');
    if (!ours || existsSync(new URL(specifier, context.parentURL))) return next(specifier, context);
    return next(specifier.replace(/\.js$/, '.ts'), context);
  },
});
