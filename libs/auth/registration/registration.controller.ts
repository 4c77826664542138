import { Body, Controller, Post } from '@nestjs/common';
import { credentialsLimit } from '../limits/auth-rate-limits.js';
import {
  Problems,
  Public,
  RateLimit,
  Returns,
  ReturnsNothing,
  Summary,
} from '../../platform/http/endpoint.js';
import { emailOnlySchema, type EmailOnly } from '../auth.schemas.js';
import { MailRequestsService } from '../mails/mail-requests.service.js';
import {
  registeredUserSchema,
  registrationSchema,
  verificationSchema,
  type RegistrationInput,
  type Verification,
} from './registration.schemas.js';
import { RegistrationService } from './registration.service.js';
import { VerificationService } from './verification.service.js';

@Controller('/v1/auth')
@Public()
export class RegistrationController {
  constructor(
    private readonly registration: RegistrationService,
    private readonly verification: VerificationService,
    private readonly mails: MailRequestsService,
  ) {}

  @Post('register')
  @Summary(
    'Register',
    'Sends a mail with a link that verifies the address. It gives no tokens: log in for these. A password that is ' +
      'common, a pattern, or made of your name or address is 422 `weak_password`.',
  )
  @Returns(201, registeredUserSchema)
  @Problems(409)
  @RateLimit(credentialsLimit)
  register(@Body({ schema: registrationSchema }) body: RegistrationInput) {
    return this.registration.register(body);
  }

  @Post('verify-email')
  @Summary(
    'Verify your e-mail address',
    'The token is in the mail, works once and for 24 hours; any other is 422 `invalid_token`.',
  )
  @ReturnsNothing(204)
  @RateLimit(credentialsLimit)
  verify(@Body({ schema: verificationSchema }) { token }: Verification): Promise<void> {
    return this.verification.verify(token);
  }

  @Post('resend-verification')
  @Summary(
    'Send the verification mail again',
    'The answer is the same whether or not there is such an account. At most 3 mails an hour are sent.',
  )
  @ReturnsNothing(202)
  @RateLimit(credentialsLimit)
  resend(@Body({ schema: emailOnlySchema }) { email }: EmailOnly): Promise<void> {
    return this.mails.request(email, 'verify_email');
  }
}
