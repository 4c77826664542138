import '../../libs/platform/data-path.js';
import '../../libs/platform/http/http-application.js';
import '../../libs/platform/metrics/build-info.js';
import '../../libs/platform/operations/operations-server.js';
import { describeMetrics } from '../../libs/platform/metrics/documentation.js';
import './app.module.js';
import { writeReadmeSection } from './readme-section.js';

/**
 * `metrics-docs [--check]`: writes the table of metrics into the README, or fails where it is stale. A metric registers
 * itself when its file is loaded: the imports above are those of `main.ts`.
 */
await writeReadmeSection('metrics', describeMetrics(), 'npm run metrics:docs');
