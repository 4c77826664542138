import { z } from 'zod';
import { flag, type Environment } from './environment.js';

/** Variables that every program reads. */
export const processVariables = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('`production` refuses embedded drivers and generated keys.'),
  ALLOW_EMBEDDED_DRIVERS: flag()
    .default(false)
    .describe('Lets `production` run on embedded drivers all the same.'),
  DATA_DIR: z.string().default('.data').describe('Folder of the embedded drivers: database, mails, keys.'),
};

export type ProcessConfig = Environment<typeof processVariables>;
