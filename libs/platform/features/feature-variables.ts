import type { Variables } from '../config/environment.js';
import type { Rule } from '../config/load.js';
import type { FeatureDefinition } from './define-feature.js';

/** The variables of all features. @throws Error where two features read one of the same name */
export function variablesOf(features: readonly FeatureDefinition[]): Variables {
  const all: Record<string, Variables[string]> = {};
  for (const { name, variables } of features) {
    for (const [key, schema] of Object.entries(variables)) {
      if (key in all) throw new Error(`The feature ${name} reads ${key}, which another one has.`);
      all[key] = schema;
    }
  }
  return all;
}

/** The rules of all features. A feature's rules read its own variables and those of every process. */
export const rulesOf = <C>(features: readonly FeatureDefinition[]): readonly Rule<C>[] =>
  features.flatMap(({ rules }) => rules as readonly Rule<C>[]);
