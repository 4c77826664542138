import { z } from 'zod';
import { givenPassword, mailToken, newPassword } from '../auth.schemas.js';

export const passwordResetSchema = z
  .strictObject({ token: mailToken(), password: newPassword() })
  .meta({ id: 'PasswordReset' });
export type PasswordResetInput = z.output<typeof passwordResetSchema>;

export const passwordChangeSchema = z
  .strictObject({ current_password: givenPassword(), new_password: newPassword() })
  .meta({ id: 'PasswordChange' });
export type PasswordChangeInput = z.output<typeof passwordChangeSchema>;
