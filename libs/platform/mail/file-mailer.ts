import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uuidv7 } from '../ids/uuid.js';
import { logger } from '../logging/logger.js';
import { Mailer, type Mail } from './mailer.port.js';

/** What is left of a process that died while it wrote counts too. */
const fileName = /^[0-9a-f-]{36}\.json(\.part)?$/;

/**
 * The embedded mailer: one JSON file a mail in a folder, and a line in the log that says where. The folder holds the
 * newest mails only, so that it never fills the disk.
 */
export class FileMailer extends Mailer {
  constructor(
    private readonly directory: string,
    private readonly maxMails = 1000,
  ) {
    super();
  }

  async send(mail: Mail): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const file = join(this.directory, `${uuidv7()}.json`);
    const content = JSON.stringify({ ...mail, sent_at: new Date().toISOString() }, null, 2);
    // Renamed into place, so that whoever watches the folder never reads half a mail.
    await writeFile(`${file}.part`, content, { mode: 0o600 });
    await rename(`${file}.part`, file);
    // The text stays out of the log: it holds a link that resets a password.
    logger.info({ subject: mail.subject, file }, 'mail written');
    await this.removeOldest();
  }

  /** Their names sort by time. Several processes may share the folder and remove the same. */
  private async removeOldest(): Promise<void> {
    const names = (await readdir(this.directory)).filter((name) => fileName.test(name)).sort();
    for (const name of names.slice(0, -this.maxMails)) await rm(join(this.directory, name), { force: true });
  }
}
