import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import { ServiceUnavailable } from '../errors/common-errors.js';
import { IgnoresQuery, Problems, Public, Returns, Summary, Unlimited } from '../http/endpoint.js';
import { Health } from '../lifecycle/health.js';

const healthSchema = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });

/** What a cloud's load balancer asks on the public port. */
@Controller()
export class HealthzController {
  constructor(private readonly health: Health) {}

  @Get('/healthz')
  @Public()
  @Unlimited()
  @IgnoresQuery()
  @Summary('Whether this process takes requests')
  @Returns(200, healthSchema)
  @Problems(503)
  check() {
    if (!this.health.isReady) throw new ServiceUnavailable('This process is stopping.', { code: 'stopping' });
    return { status: 'ok' };
  }
}
