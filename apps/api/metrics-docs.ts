import { describeMetrics } from '../../libs/platform/metrics/documentation.js';
import { writeGeneratedSection } from './generated-section.js';
import { createOfflineApp } from './offline-app.js';

/** `metrics-docs [--check]`: writes the table of metrics, or fails where it is stale. Needs no database. */
const { metrics } = await createOfflineApp();
await writeGeneratedSection(
  'docs/operations/metrics.md',
  'metrics',
  describeMetrics(metrics),
  'npm run metrics:docs',
);
process.exit();
