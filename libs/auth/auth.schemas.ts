import { z } from 'zod';
import { opaque } from '../platform/schemas/fields.js';
import { isOpaqueString, preparePassword } from './passwords/password-text.js';

/**
 * What HTML's `input type=email` takes, with a dot in the domain: ASCII, and nothing that has a
 * meaning in a mail header. Lower case, for addresses are one regardless of it.
 */
export const emailAddress = () =>
  z
    .string()
    .max(254, { abort: true })
    // What is pasted often has blanks around it.
    .overwrite((value) => value.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
    .regex(
      /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
      'must be an e-mail address',
    )
    .overwrite((value) => value.toLowerCase());

const minPasswordLength = 12;

/** As it is stored, by RFC 8265. Whether it is easy to guess is decided where the user is known. */
export const newPassword = () =>
  opaque(minPasswordLength, 128)
    .refine(isOpaqueString, 'must hold only characters that can be seen, and blanks')
    .overwrite(preparePassword)
    .refine(
      (value) => Array.from(value).length >= minPasswordLength,
      `must have at least ${minPasswordLength} characters`,
    );

/**
 * A password that is compared: none is shorter than 12, but a wrong one is not an invalid request. Accents that are not composed
 * yet make one longer.
 */
export const givenPassword = () => opaque(1, 512);

/** A token from a mail. */
export const mailToken = () => opaque(1, 200);

export const emailOnlySchema = z.strictObject({ email: emailAddress() }).meta({ id: 'EmailAddress' });
export type EmailOnly = z.output<typeof emailOnlySchema>;
