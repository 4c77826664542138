import { Body, Controller, Post } from '@nestjs/common';
import type { Caller } from '../../platform/context/caller.js';
import { CurrentUser } from '../../platform/http/call-adapter.js';
import {
  Problems,
  Public,
  RateLimit,
  ReturnsNothing,
  Summary,
  Writes,
} from '../../platform/http/endpoint.js';
import { credentialsLimit } from '../limits/auth-rate-limits.js';
import { Client } from '../sessions/client.decorator.js';
import type { ClientInfo } from '../sessions/client-info.js';
import {
  emailChangeSchema,
  emailConfirmationSchema,
  type EmailChangeInput,
  type EmailConfirmation,
} from './email-change.schemas.js';
import { EmailChangeService } from './email-change.service.js';

@Controller('/v1/auth/email')
export class EmailChangeController {
  constructor(private readonly changes: EmailChangeService) {}

  @Post('change')
  @Summary(
    'Ask to change your e-mail address',
    'Sends a mail with a token to the new address, at most 3 an hour; the address stays as it is until the token is ' +
      'confirmed. The answer is the same where the new address has an account, but then no mail is sent. A wrong ' +
      'current password is 403 `invalid_password`.',
  )
  @ReturnsNothing(202)
  @Problems(403)
  @RateLimit(credentialsLimit)
  @Writes()
  change(
    @CurrentUser() caller: Caller,
    @Body({ schema: emailChangeSchema }) body: EmailChangeInput,
    @Client() client: ClientInfo,
  ): Promise<void> {
    return this.changes.request(caller, body, client);
  }

  @Post('confirm')
  @Public()
  @Summary(
    'Change the e-mail address by the token of the mail',
    'The token works once and for 24 hours; any other is 422 `invalid_token`. The new address is verified, the former ' +
      'one is told by a mail, and sessions go on.',
  )
  @ReturnsNothing(204)
  @Problems(409)
  @RateLimit(credentialsLimit)
  confirm(@Body({ schema: emailConfirmationSchema }) { token }: EmailConfirmation): Promise<void> {
    return this.changes.confirm(token);
  }
}
