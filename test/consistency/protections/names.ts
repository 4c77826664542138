/** The mechanisms that keep reads consistent. The checker must find a violation if one of them is missing. */
export const protectionNames = [
  'write-intent',
  'version-stamp',
  'minimum-position',
  'lease',
  'replica-position',
] as const;
export type Protection = (typeof protectionNames)[number];
