import { z } from 'zod';
import { emailAddress, givenPassword, mailToken } from '../auth.schemas.js';

export const emailChangeSchema = z
  .strictObject({ current_password: givenPassword(), new_email: emailAddress() })
  .meta({ id: 'EmailChange' });
export type EmailChangeInput = z.output<typeof emailChangeSchema>;

export const emailConfirmationSchema = z
  .strictObject({ token: mailToken() })
  .meta({ id: 'EmailConfirmation' });
export type EmailConfirmation = z.output<typeof emailConfirmationSchema>;
