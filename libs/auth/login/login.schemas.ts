import { z } from 'zod';
import { emailAddress, givenPassword } from '../auth.schemas.js';

export const loginSchema = z
  .strictObject({ email: emailAddress(), password: givenPassword() })
  .meta({ id: 'Login' });
export type LoginInput = z.output<typeof loginSchema>;
