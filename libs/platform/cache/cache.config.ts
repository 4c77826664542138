import { flag, integer } from '../config/environment.js';

/** Variables of the caches. */
export const cacheVariables = {
  CACHE_ENABLED: flag()
    .default(true)
    .describe('`false`: nothing of users is cached, in Redis or in the process.'),
  CACHE_MEMORY_MIB: integer(1, 16_384).default(32).describe('Most memory for cached answers in the process.'),
};
