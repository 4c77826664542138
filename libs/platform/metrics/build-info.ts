import { Gauge } from 'prom-client';
import { registry } from './registry.js';

const info = new Gauge({
  name: 'app_build_info',
  help: 'Always 1: version and commit that this process was built from. `count by (version)` tells how many processes run each.',
  labelNames: ['version', 'commit'],
  registers: [registry],
});

/** Once, at the start. */
export function tellBuild(config: { readonly APP_VERSION: string; readonly APP_REVISION: string }): void {
  info.set({ version: config.APP_VERSION, commit: config.APP_REVISION }, 1);
}
