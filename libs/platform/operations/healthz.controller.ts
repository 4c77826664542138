import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import { ServiceUnavailable } from '../errors/common-errors.js';
import { Endpoint, Public } from '../http/endpoint.js';
import { Health } from '../lifecycle/health.js';

/** What a cloud's load balancer asks on the public port. */
@Controller()
export class HealthzController {
  constructor(private readonly health: Health) {}

  @Get('/healthz')
  @Public()
  @Endpoint({
    summary: 'Whether this process takes requests',
    status: 200,
    response: z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' }),
    problems: [503],
    ignoresQuery: true,
    isUnlimited: true,
  })
  check() {
    if (!this.health.isReady) throw new ServiceUnavailable('This process is stopping.', { code: 'stopping' });
    return { status: 'ok' };
  }
}
