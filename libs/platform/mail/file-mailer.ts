import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uuidv7 } from '../database/uuid.js';
import { logger } from '../logging/logger.js';
import { Mailer, type Mail } from './mailer.port.js';

/** The embedded mailer: one JSON file a mail in a folder, and a line in the log that says where. */
export class FileMailer extends Mailer {
  constructor(private readonly directory: string) {
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
  }
}
