/** The mechanisms that keep reads consistent. The checker must find a violation if one of them is missing. */
export const protectionNames = [
  'write-intent',
  'version-stamp',
  'minimum-position',
  'lease',
  'replica-position',
  'all-members',
] as const;

/** What a process relies on in the database of another one. They are missing in the shape `split`. */
export const ownerProtectionNames = ['owner-lease', 'owner-minimum'] as const;

/** The rules for what many users share. They are missing in the shape `lists`. */
export const sharingProtectionNames = [
  'scope-position',
  'own-scope',
  'membership-check',
  'member-scope',
  'locked-row',
  'absence-on-primary',
] as const;

export const allProtectionNames = [
  ...protectionNames,
  ...ownerProtectionNames,
  ...sharingProtectionNames,
] as const;
export type Protection = (typeof allProtectionNames)[number];
