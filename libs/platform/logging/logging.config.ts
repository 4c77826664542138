import { z } from 'zod';
import { logLevels } from './log-levels.js';

/** Variables of the logger. */
export const loggingVariables = {
  LOG_LEVEL: z.enum(logLevels).default('info').describe('Least severe level that is logged.'),
  LOG_LEVEL_FILE: z
    .string()
    .optional()
    .describe(
      'A file that holds a level, which counts in place of `LOG_LEVEL` while it does. It is read every 5 s, so that the level ' +
        'changes without a restart.',
    ),
};
