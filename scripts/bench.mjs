// npm run bench [-- NAME [arguments]]: runs load/NAME.ts against the compiled API; without a name, all benches that have a target.
import { existsSync } from 'node:fs';
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

const [name = 'ratios', ...args] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name) || !existsSync(new URL(`../load/${name}.ts`, import.meta.url))) {
  console.error(
    'Unknown bench. Usage: npm run bench [-- NAME [arguments]]\n' +
      'With a target, all run when no name is given:\n' +
      '  cached-list | hit-rate | replica-share | redis-loss | database-loss | list-scale | filters | start\n' +
      'By name only:\n' +
      '  worst-user | login-timing | scrape | pods | overhead [metrics | logs | traces-10 | traces-0 | unconfigured] | soak | first-task\n' +
      '  compare [--only list,get,… --servers api,bare,… --rounds 5 --seconds 4 --warm-up 5 --connections 64,1000\n' +
      '    --without-own-indexes --write]: against a bare server, Express with Prisma, and others\n' +
      '  builds DIR [STARTS]: compares this build with another checkout, which must be built\n' +
      '  update DIR [--tasks 1000000 --rate 50]: from the build in another checkout to this one while users call',
  );
  process.exit(64);
}
ensureInstalled();
ensureBuilt();
run(['--import', './scripts/typescript-hook.mjs', `load/${name}.ts`, ...args]);
