import { Body, Controller, Post } from '@nestjs/common';
import { Endpoint, Public } from '../../platform/http/endpoint.js';
import { CurrentUser, type Principal } from '../../platform/security/principal.js';
import { emailOnlySchema, type EmailOnly } from '../auth.schemas.js';
import { MailRequestsService } from '../mails/mail-requests.service.js';
import { PasswordChangeService } from './password-change.service.js';
import { PasswordResetService } from './password-reset.service.js';
import {
  passwordChangeSchema,
  passwordResetSchema,
  type PasswordChangeInput,
  type PasswordResetInput,
} from './passwords.schemas.js';

@Controller('/v1/auth/password')
export class PasswordController {
  constructor(
    private readonly mails: MailRequestsService,
    private readonly resets: PasswordResetService,
    private readonly changes: PasswordChangeService,
  ) {}

  @Post('forgot')
  @Public()
  @Endpoint({
    summary: 'Ask for a mail that resets the password',
    description:
      'The answer is the same whether or not there is such an account. At most 3 mails an hour are sent.',
    status: 202,
    response: null,
    isCredentials: true,
  })
  forgot(@Body({ schema: emailOnlySchema }) { email }: EmailOnly): Promise<void> {
    return this.mails.request(email, 'reset_password');
  }

  @Post('reset')
  @Public()
  @Endpoint({
    summary: 'Set a new password by the token of the mail',
    description:
      'The token works once and for an hour; any other is 422 `invalid_token`. All sessions end, and so do other ' +
      'tokens of this kind.',
    status: 204,
    response: null,
    isCredentials: true,
  })
  reset(@Body({ schema: passwordResetSchema }) body: PasswordResetInput): Promise<void> {
    return this.resets.reset(body);
  }

  @Post('change')
  @Endpoint({
    summary: 'Change your password',
    description: 'A wrong current password is 403 `invalid_password`. All your other sessions end.',
    status: 204,
    response: null,
    writes: 'auth',
    problems: [403],
  })
  change(
    @CurrentUser() principal: Principal,
    @Body({ schema: passwordChangeSchema }) body: PasswordChangeInput,
  ): Promise<void> {
    return this.changes.change(principal, body);
  }
}
