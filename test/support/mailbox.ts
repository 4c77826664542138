import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from './wait.js';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly sent_at: string;
}

export interface MailFilter {
  /** Part of the subject, ignoring case. */
  readonly subject?: string | RegExp;
  /** Skips this many matching mails, such as one that came earlier. */
  readonly skip?: number;
  readonly timeoutMs?: number;
}

/** All mails to an address in the order of sending: the file names are UUIDv7. */
export async function mailsTo(address: string, folder = sharedMailDir()): Promise<readonly Mail[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const mails = await Promise.all(names.map((name) => readMail(join(folder, name))));
  return mails.filter((mail): mail is Mail => mail?.to.toLowerCase() === address.toLowerCase());
}

/** Waits for a mail to the address. */
export async function waitForMail(address: string, filter: MailFilter = {}, folder?: string): Promise<Mail> {
  const { skip = 0, timeoutMs = 15_000 } = filter;
  const find = async (): Promise<Mail | undefined> => {
    const mails = await mailsTo(address, folder);
    return mails.filter((mail) => matches(mail, filter.subject))[skip];
  };
  return waitFor(find, { timeoutMs, what: `a mail to ${address}` });
}

/** Waits for a mail with a link to the address and returns the link's token. */
export async function waitForToken(
  address: string,
  filter: MailFilter = {},
  folder?: string,
): Promise<string> {
  const mail = await waitForMail(address, filter, folder);
  const token = /[?&]token=([^\s&"'<>]+)/.exec(mail.text)?.[1];
  if (token === undefined)
    throw new Error(`No link with a token in the mail "${mail.subject}" to ${address}.`);
  return decodeURIComponent(token);
}

function matches(mail: Mail, subject: string | RegExp = ''): boolean {
  if (subject instanceof RegExp) return subject.test(mail.subject);
  return mail.subject.toLowerCase().includes(subject.toLowerCase());
}

/** Null for a file that is still being written: the caller looks again. */
async function readMail(path: string): Promise<Mail | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Mail;
  } catch {
    return null;
  }
}

function sharedMailDir(): string {
  const folder = process.env['TEST_MAIL_DIR'];
  if (folder === undefined)
    throw new Error('TEST_MAIL_DIR is not set: the mails of this deployment cannot be read.');
  return folder;
}
