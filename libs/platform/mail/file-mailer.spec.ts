import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logger } from '../logging/logger.js';
import { FileMailer } from './file-mailer.js';

logger.level = 'silent';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'file-mailer-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the embedded mailer', () => {
  it('keeps the newest mails and nothing that died while it was written; other files are left alone', async () => {
    await writeFile(join(directory, 'notes.txt'), 'ours');
    await writeFile(join(directory, '01900000-0000-7000-8000-000000000000.json.part'), '{');
    const mailers = [new FileMailer(directory, 5), new FileMailer(directory, 5)];
    for (let n = 0; n < 12; n++) {
      await mailers[n % 2]?.send({ to: 'ada@example.com', subject: `mail ${n}`, text: 'Hello' });
    }
    const names = (await readdir(directory)).sort();
    expect(names.pop()).toBe('notes.txt');
    const subjects = await Promise.all(
      names.map(async (name) => {
        const mail = JSON.parse(await readFile(join(directory, name), 'utf8')) as { subject: string };
        return mail.subject;
      }),
    );
    expect(subjects.sort()).toEqual(['mail 10', 'mail 11', 'mail 7', 'mail 8', 'mail 9']);
  });

  it('removes nothing that is being written by several at once', async () => {
    const mailers = [1, 2, 3, 4].map(() => new FileMailer(directory, 20));
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        mailers.map((mailer) => mailer.send({ to: 'ada@example.com', subject: 'mail', text: 'Hello' })),
      );
    }
    const names = await readdir(directory);
    expect([names.length, names.filter((name) => !name.endsWith('.json'))]).toEqual([20, []]);
  });
});
