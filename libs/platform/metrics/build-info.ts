import type { Metrics } from './metrics.js';
import type { MetricsConfig } from './metrics.config.js';

/** Tells version and commit, once at the start. */
export function recordBuildInfo(metrics: Metrics, config: MetricsConfig): void {
  metrics
    .gauge({
      name: 'app_build_info',
      help: 'Always 1: version and commit that this process was built from. `count by (version)` tells how many processes run each.',
      labelNames: ['version', 'commit'],
    })
    .set({ version: config.APP_VERSION, commit: config.APP_REVISION }, 1);
}
