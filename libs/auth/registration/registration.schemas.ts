import { z } from 'zod';
import { instantOut, line, timeZone } from '../../platform/schemas/fields.js';
import { emailAddress, mailToken, newPassword } from '../auth.schemas.js';

export const registrationSchema = z
  .strictObject({
    email: emailAddress(),
    password: newPassword(),
    name: line(1, 100),
    timezone: timeZone().default('UTC'),
  })
  .meta({ id: 'Registration' });
export type RegistrationInput = z.output<typeof registrationSchema>;

export const registeredUserSchema = z
  .strictObject({
    id: z.uuid(),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string(),
    timezone: z.string(),
    created_at: instantOut(),
  })
  .meta({ id: 'RegisteredUser' });
export type RegisteredUser = z.input<typeof registeredUserSchema>;

export const verificationSchema = z.strictObject({ token: mailToken() }).meta({ id: 'Verification' });
export type Verification = z.output<typeof verificationSchema>;
