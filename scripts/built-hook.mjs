// For test programs that run parts of the product in their own process: resolves their imports of `apps/` and `libs/` to
// the build, because decorators need compiling. The programs themselves run as TypeScript.
import { registerHooks } from 'node:module';
import './typescript-hook.mjs';

const root = new URL('../', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith('.') || context.parentURL === undefined) return next(specifier, context);
    const { href } = new URL(specifier, context.parentURL);
    const path = href.startsWith(root) ? href.slice(root.length) : '';
    return /^(apps|libs)\//.test(path) ? next(`${root}dist/${path}`, context) : next(specifier, context);
  },
});
