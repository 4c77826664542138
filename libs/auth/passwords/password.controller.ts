import { Body, Controller, Post } from '@nestjs/common';
import { credentialsLimit } from '../limits/auth-rate-limits.js';
import {
  Problems,
  Public,
  RateLimit,
  ReturnsNothing,
  Summary,
  Writes,
} from '../../platform/http/endpoint.js';
import { CurrentUser } from '../../platform/http/call-adapter.js';
import type { Caller } from '../../platform/context/caller.js';
import { emailOnlySchema, type EmailOnly } from '../auth.schemas.js';
import { MailRequestsService } from '../mails/mail-requests.service.js';
import { Client } from '../sessions/client.decorator.js';
import type { ClientInfo } from '../sessions/client-info.js';
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
  @Summary(
    'Ask for a mail that resets the password',
    'The answer is the same whether or not there is such an account. At most 3 mails an hour are sent.',
  )
  @ReturnsNothing(202)
  @RateLimit(credentialsLimit)
  forgot(@Body({ schema: emailOnlySchema }) { email }: EmailOnly): Promise<void> {
    return this.mails.request(email, 'reset_password');
  }

  @Post('reset')
  @Public()
  @Summary(
    'Set a new password by the token of the mail',
    'The token works once and for an hour; any other is 422 `invalid_token`. A password that is easy to guess is 422 ' +
      '`weak_password`. All sessions end, and so do other tokens of this kind. A mail tells you.',
  )
  @ReturnsNothing(204)
  @RateLimit(credentialsLimit)
  reset(
    @Body({ schema: passwordResetSchema }) body: PasswordResetInput,
    @Client() client: ClientInfo,
  ): Promise<void> {
    return this.resets.reset(body, client);
  }

  @Post('change')
  @Summary(
    'Change your password',
    'A wrong current password is 403 `invalid_password`, and counts as a failed login. One that is easy to guess is 422 ' +
      '`weak_password`. All your other sessions end, and a mail tells you.',
  )
  @ReturnsNothing(204)
  @Problems(403)
  @RateLimit(credentialsLimit)
  @Writes()
  change(
    @CurrentUser() principal: Caller,
    @Body({ schema: passwordChangeSchema }) body: PasswordChangeInput,
    @Client() client: ClientInfo,
  ): Promise<void> {
    return this.changes.change(principal, body, client);
  }
}
