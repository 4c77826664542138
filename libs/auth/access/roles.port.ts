/** Role of a user. An admin has the same rights on tasks; operators set the role by a command. */
export const roles = ['user', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Tier of a user, which decides the rate limit. */
export const tiers = ['free', 'premium'] as const;
export type Tier = (typeof tiers)[number];
