import { z } from 'zod';
import { integer } from '../config/environment.js';

/** Variables of the operations port. */
export const operationsVariables = {
  OPS_HOST: z
    .string()
    .optional()
    .describe(
      'Address that the operations port listens on. Default: `HOST` in production, where probes and Prometheus come from ' +
        'elsewhere, else `127.0.0.1`.',
    ),
  OPS_PORT: integer(0, 65535)
    .default(5001)
    .describe('Port of `/livez`, `/readyz`, `/startupz` and `/metrics`.'),
};
