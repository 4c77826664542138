import { z } from 'zod';
import { roles, tiers } from '../auth/access/roles.port.js';
import { instantOut, line, timeZone } from '../platform/schemas/fields.js';

/** A BCP 47 language tag, in the part of its grammar that people use: `en`, `pt-BR`, `zh-Hant-TW`. */
const locale = () =>
  z
    .string()
    .max(35, { abort: true })
    .regex(/^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$/, {
      message: 'must be a language tag such as en or pt-BR',
      // What is no tag ends here: `getCanonicalLocales` throws on it.
      abort: true,
    })
    .overwrite((tag) => Intl.getCanonicalLocales(tag)[0] ?? tag);

/** The user as answers show it. `email` and `email_verified` are auth's, `role` and `tier` an operator's. */
export const userSchema = z
  .strictObject({
    id: z.uuid(),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string(),
    timezone: z.string(),
    locale: z.string(),
    role: z.enum(roles),
    tier: z.enum(tiers),
    created_at: instantOut(),
    updated_at: instantOut(),
    version: z.int(),
  })
  .meta({ id: 'User' });
export type UserView = z.input<typeof userSchema>;

/** A merge patch (RFC 7396): null puts `timezone` and `locale` back to their defaults. */
export const patchUserSchema = z
  .strictObject({
    name: line(1, 100).optional(),
    timezone: timeZone().nullable().optional(),
    locale: locale().nullable().optional(),
  })
  .meta({ id: 'UserPatch' });
export type PatchUser = z.output<typeof patchUserSchema>;

export const exportSchema = z
  .looseObject({ exported_at: z.iso.datetime(), user: userSchema })
  .meta({ id: 'UserExport', description: 'Everything that is kept of the user, a member for each part.' });
