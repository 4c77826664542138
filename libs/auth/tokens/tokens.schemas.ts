import { z } from 'zod';
import { opaque } from '../../platform/schemas/fields.js';

export const tokensSchema = z
  .strictObject({
    access_token: z.string(),
    refresh_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
  })
  .meta({ id: 'Tokens' });
export type TokensView = z.input<typeof tokensSchema>;

export const refreshSchema = z.strictObject({ refresh_token: opaque(1, 200) }).meta({ id: 'Refresh' });
export type Refresh = z.output<typeof refreshSchema>;

/** RFC 7517. */
export const jwksSchema = z
  .strictObject({
    keys: z.array(
      z.strictObject({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: z.string(),
        y: z.string(),
        kid: z.string(),
        alg: z.literal('ES256'),
        use: z.literal('sig'),
      }),
    ),
  })
  .meta({ id: 'Jwks' });
