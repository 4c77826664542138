import type { Mail } from '../../platform/mail/mailer.port.js';
import type { MailPurpose } from './mail.events.js';

interface MailText {
  readonly subject: string;
  /** Page of the front end under `PUBLIC_URL`; it takes the token from its address and calls `endpoint` with it. */
  readonly page: string;
  readonly endpoint: string;
  readonly opening: string;
  readonly closing: string;
}

const texts: Readonly<Record<MailPurpose, MailText>> = {
  verify_email: {
    subject: 'Verify your e-mail address',
    page: 'verify-email',
    endpoint: 'POST /v1/auth/verify-email {"token"}',
    opening: 'Welcome to Task API. Please verify your e-mail address within 24 hours:',
    closing: 'If you did not register, you need not do anything.',
  },
  reset_password: {
    subject: 'Reset your password',
    page: 'reset-password',
    endpoint: 'POST /v1/auth/password/reset {"token","password"}',
    opening: 'Somebody, hopefully you, asked to reset your password. You can do that within an hour:',
    closing: 'If it was not you, you need not do anything: your password stays as it is.',
  },
};

/** The link begins with `publicUrl`, never with the host of a request, which an attacker can choose. */
export function composeMail(purpose: MailPurpose, to: string, token: string, publicUrl: string): Mail {
  const { subject, page, endpoint, opening, closing } = texts[purpose];
  const link = `${publicUrl.replace(/\/$/, '')}/${page}?token=${token}`;
  const lines = [
    opening,
    '',
    link,
    '',
    `Without a browser: ${endpoint} takes this token:`,
    '',
    token,
    '',
    closing,
    '',
  ];
  return { to, subject, text: lines.join('\n') };
}
