import { Controller, Get, Inject } from '@nestjs/common';
import { Public, Returns, Summary } from '../../platform/http/endpoint.js';
import { Reply } from '../../platform/http/reply.js';
import { CONFIG } from '../../platform/config/config.token.js';
import type { AuthConfig } from '../auth.config.js';
import { KeyRing } from './key-ring.js';
import { jwksSchema } from './tokens.schemas.js';

const maxCacheSeconds = 300;

@Controller('/.well-known')
export class JwksController {
  constructor(
    private readonly keys: KeyRing,
    @Inject(CONFIG) private readonly config: Pick<AuthConfig, 'JWT_KEY_PUBLISH_SECONDS'>,
  ) {}

  @Get('jwks.json')
  @Public()
  @Summary('Public keys of access tokens (RFC 7517)')
  @Returns(200, jwksSchema)
  read() {
    const keys = this.keys.all().map(({ kid, publicKey }) => {
      const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
      return { kty, crv, x, y, kid, alg: 'ES256', use: 'sig' };
    });
    // A verifier that caches must have seen a new key before it signs.
    const maxAge = Math.min(maxCacheSeconds, Math.floor(this.config.JWT_KEY_PUBLISH_SECONDS / 2));
    return Reply.of({ keys }, { 'cache-control': `public, max-age=${maxAge}` });
  }
}
