declare const brand: unique symbol;

/** Name of a feature, of its Postgres schema and of what depends on it. Only `featureName` makes one: a mistyped text does not compile. */
export type FeatureName = string & { readonly [brand]: 'feature' };

/** Called once by each feature. @throws Error where it can't be the name of a schema */
export function featureName(name: string): FeatureName {
  if (!/^[a-z][a-z_]{0,40}$/.test(name)) throw new Error(`"${name}" is no name for a feature.`);
  return name as FeatureName;
}
