import { authFeature } from '../libs/auth/auth.feature.js';
import { EventRoutes } from '../libs/platform/events/event-routes.js';
import type { FeatureDefinition } from '../libs/platform/features/define-feature.js';
import { tasksFeature } from '../libs/tasks/tasks.feature.js';
import { usersFeature } from '../libs/users/users.feature.js';

/** The features of the product. The API, migrations, commands and generated documents are composed from this list. */
export const features: readonly FeatureDefinition[] = [authFeature, usersFeature, tasksFeature];

/** The event consumers of all apps. An app of a part of the features needs them all the same. */
export const eventRoutes = new EventRoutes(features);
