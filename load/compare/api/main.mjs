/**
 * The built API with a consumer of the events of tasks. It is plain JavaScript that imports the build, so that its memory is that
 * of the product: what strips types would take some.
 */
import { runApi } from '../../../dist/apps/api/run.js';
import { features } from '../../../dist/apps/features.js';
import { EventRoutes } from '../../../dist/libs/platform/events/event-routes.js';
import { taskCountsFeature } from './task-counts.feature.mjs';

const all = [...features, taskCountsFeature];
await runApi({ features: all, routes: new EventRoutes(all) });
