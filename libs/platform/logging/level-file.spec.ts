import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { followLevelFile } from './level-file.js';

let folder: string;
let file: string;
let lines: string[];
let logger: Logger;
let stop: () => void = () => undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-level-'));
  file = join(folder, 'level');
  lines = [];
  logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
});
afterEach(async () => {
  stop();
  await rm(folder, { recursive: true });
});

/** At once, as Kubernetes does: a file that is written in place is empty for a moment. */
async function replaceFile(content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

async function until(level: string): Promise<void> {
  for (let i = 0; i < 200 && logger.level !== level; i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(logger.level).toBe(level);
}

describe('the file of the log level', () => {
  it('sets the level while it holds one, and LOG_LEVEL counts again when it is gone', async () => {
    stop = followLevelFile(logger, { LOG_LEVEL: 'info', LOG_LEVEL_FILE: file }, 10);
    await replaceFile('debug\n');
    await until('debug');
    await replaceFile('ERROR');
    await until('error');
    await rm(file);
    await until('info');
    const changes = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map(({ before, after }) => [before, after]);
    expect(changes).toEqual([
      ['info', 'debug'],
      ['debug', 'error'],
      ['error', 'info'],
    ]);
  });

  it('is told of once where it holds no level, without what it holds', async () => {
    stop = followLevelFile(logger, { LOG_LEVEL: 'warn', LOG_LEVEL_FILE: file }, 10);
    await writeFile(file, 'verbose');
    await until('warn');
    for (let i = 0; i < 200 && !lines.some((line) => line.includes('holds none')); i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(lines.filter((line) => line.includes('holds none'))).toHaveLength(1);
    expect(lines.join('')).not.toContain('verbose');
  });
});
