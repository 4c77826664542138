import type { Mail } from '../../platform/mail/mailer.port.js';
import { isNotice, purposeOf, type MailRequest } from './mail-recipient.js';
import type { DueMail } from './mail-tokens.service.js';
import type { Notice, TokenPurpose } from './mail.events.js';

interface TokenText {
  readonly subject: string;
  /** Page of the front end under `PUBLIC_URL`; it takes the token from its address and calls `endpoint` with it. */
  readonly page: string;
  readonly endpoint: string;
  readonly opening: string;
  readonly closing: string;
}

const tokenTexts: Readonly<Record<TokenPurpose, TokenText>> = {
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
  change_email: {
    subject: 'Confirm your new e-mail address',
    page: 'confirm-email',
    endpoint: 'POST /v1/auth/email/confirm {"token"}',
    opening:
      'Somebody, hopefully you, gave this address for an account of Task API. Confirm it within 24 hours:',
    closing: 'If it was not you, you need not do anything: the account keeps its address.',
  },
};

const resetAdvice =
  'If it was not you, reset your password at once, which ends all sessions: POST /v1/auth/password/forgot {"email"}.';

const noticeTexts: Readonly<Record<Notice['kind'], { readonly subject: string; readonly advice: string }>> = {
  password_changed: { subject: 'Your password was changed', advice: resetAdvice },
  email_changed: {
    subject: 'Your e-mail address was changed',
    advice:
      'If it was not you, tell those who run the service: this address can not reset the password any more.',
  },
  new_device: { subject: 'New login to your account', advice: resetAdvice },
};

/** Links begin with `publicUrl`, never with the host of a request, which an attacker can choose. */
export function composeMail(request: MailRequest, { to, token }: DueMail, publicUrl: string): Mail {
  const { mail, occurredAt } = request;
  if (isNotice(mail)) return { to, ...composeNotice(mail, occurredAt, publicUrl) };
  const { subject, page, endpoint, opening, closing } = tokenTexts[purposeOf(mail)];
  const link = `${publicUrl.replace(/\/$/, '')}/${page}?token=${token}`;
  const lines = [
    ...[opening, '', link, ''],
    ...[`Without a browser: ${endpoint} takes this token:`, '', token, ''],
    ...[closing, ''],
  ];
  return { to, subject, text: lines.join('\n') };
}

function composeNotice(notice: Notice, at: Date, publicUrl: string): Pick<Mail, 'subject' | 'text'> {
  const { subject, advice } = noticeTexts[notice.kind];
  const time = `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const lines = [
    ...[whatHappened(notice), '', `Time: ${time}`, `Service: ${publicUrl}`, ''],
    ...['If it was you, you need not do anything.', advice, ''],
  ];
  return { subject, text: lines.join('\n') };
}

function whatHappened(notice: Notice): string {
  switch (notice.kind) {
    case 'password_changed':
      return 'The password of your account of Task API was changed.';
    case 'email_changed':
      return 'Your account of Task API has another e-mail address now. No more mails about it come to this one.';
    case 'new_device':
      return `Somebody logged in to your account of Task API from a new device: ${notice.device}, IP address ${notice.ip}.`;
  }
}
