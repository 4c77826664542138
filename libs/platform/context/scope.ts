declare const brand: unique symbol;

/**
 * What readers depend on and writers change, within a feature: the view of one user, or something that many users share,
 * such as `project:<id>`. The consistency store keeps a last-write position and the write intents of each scope.
 */
export type Scope = string & { readonly [brand]: 'scope' };

/** Most scopes of one read or write. Each costs memory and time of the consistency store. */
export const maxScopes = 128;

/** What a user sees. Its text is the id alone: earlier versions know only these scopes, and keep them under that name. */
export const userScope = (userId: string): Scope => userId as Scope;

const sharedForm = /^[a-z][a-z_]{0,20}:[0-9A-Za-z-]{1,64}$/;

/** Something that many users share, such as `sharedScope('project', id)`. @throws Error where that is no name of a scope */
export function sharedScope(kind: string, id: string): Scope {
  const scope = `${kind}:${id}`;
  if (!sharedForm.test(scope)) throw new Error(`"${scope}" is no name for a scope.`);
  return scope as Scope;
}
