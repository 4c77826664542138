import type { Persistence } from '../postgres/persistence.js';
import type { FeatureDefinition } from './define-feature.js';

/** What the features store: a Postgres schema each. */
export const persistenceOf = (features: readonly FeatureDefinition[]): readonly Persistence[] =>
  features.map(({ name, entities, migrations }) => ({ schema: name, entities, migrations }));
