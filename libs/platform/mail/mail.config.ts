import { z } from 'zod';
import { flag, url, type Environment } from '../config/environment.js';
import type { Rule } from '../config/load.js';
import type { ProcessConfig } from '../config/process.config.js';

/** Variables of mail. */
export const mailVariables = {
  MAIL_DIR: z.string().optional().describe('Folder of the embedded mailer. Default: `mail` in `DATA_DIR`.'),
  MAIL_FROM: z
    .string()
    .optional()
    .describe(
      'Sender of mails. Default: `Task API <no-reply@localhost>`; needed in production with `SMTP_URL`.',
    ),
  SMTP_REQUIRE_TLS: flag()
    .default(true)
    .describe(
      '`false`: mails also go to a server that offers no TLS, in clear text, with links that reset passwords.',
    ),
  SMTP_URL: url('smtp', 'smtps')
    .optional()
    .describe('Mail server. Unset: mails go to a folder, which keeps the newest 1000.'),
};

export type MailConfig = Environment<typeof mailVariables>;

export const needsSender: Rule<ProcessConfig & MailConfig> = ({ NODE_ENV, SMTP_URL, MAIL_FROM }) =>
  NODE_ENV === 'production' && SMTP_URL !== undefined && MAIL_FROM === undefined
    ? ['MAIL_FROM: is needed in production with SMTP_URL']
    : [];
