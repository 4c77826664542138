import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { isLogLevel, type LogLevel } from './log-levels.js';

const intervalMs = 5000;

export interface LevelConfig {
  readonly LOG_LEVEL: LogLevel;
  readonly LOG_LEVEL_FILE?: string | undefined;
}

/**
 * Takes the level from the file, again and again; `LOG_LEVEL` counts while there is none, or no level in it. Read by the
 * clock rather than watched: Kubernetes changes a mounted ConfigMap by exchanging links, which watchers miss.
 *
 * @returns what ends it; it does not keep the process from ending
 */
export function followLevelFile(logger: Logger, config: LevelConfig, everyMs = intervalMs): () => void {
  const { LOG_LEVEL, LOG_LEVEL_FILE: file } = config;
  if (file === undefined) return () => undefined;
  let refused = '';
  const follow = async (): Promise<void> => {
    const text = await readLevel(file);
    const isKnown = isLogLevel(text);
    if (text !== '' && !isKnown && text !== refused)
      logger.warn({ file }, 'the file of the log level holds none; LOG_LEVEL counts');
    refused = isKnown ? '' : text;
    setLevel(logger, isKnown ? text : LOG_LEVEL);
  };
  void follow();
  const timer = setInterval(() => void follow(), everyMs).unref();
  return () => clearInterval(timer);
}

/** Of a file that is no such thing, no more than a word is looked at. */
async function readLevel(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.slice(0, 100).trim().toLowerCase();
}

/** Told on whichever side of the change still logs it. */
function setLevel(logger: Logger, level: LogLevel): void {
  const { level: before } = logger;
  if (before === level) return;
  const tell = () => logger.info({ before, after: level }, 'the log level was changed');
  if (logger.isLevelEnabled('info')) tell();
  else {
    logger.level = level;
    tell();
  }
  logger.level = level;
}
