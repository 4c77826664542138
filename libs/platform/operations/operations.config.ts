import { integer } from '../config/environment.js';

/** Variables of the operations port. */
export const operationsVariables = {
  OPS_PORT: integer(0, 65535)
    .default(5001)
    .describe('Port of `/livez`, `/readyz`, `/startupz` and `/metrics`.'),
};
