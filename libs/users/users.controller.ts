import { Body, Controller, Delete, Get, Patch } from '@nestjs/common';
import { requireRecentLogin, type Caller } from '../platform/context/caller.js';
import { CurrentUser } from '../platform/http/call-adapter.js';
import {
  Accepts,
  Conditional,
  Problems,
  ResponseHeaders,
  Returns,
  ReturnsNothing,
  Summary,
  Writes,
} from '../platform/http/endpoint.js';
import { etagOf, RequestConditions, type Conditions } from '../platform/http/etag.js';
import { RateLimitCost } from '../platform/http/rate-limit-cost.js';
import { Reply } from '../platform/http/reply.js';
import { ExportService } from './export.service.js';
import { exportSchema, patchUserSchema, userSchema, type PatchUser } from './users.schemas.js';
import { revisionOf, UsersService } from './users.service.js';

/** It reads everything that is stored of the user. */
const exportCost = 10;

@Controller('/v1/users/me')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly exports: ExportService,
  ) {}

  @Get()
  @Summary('Read your profile')
  @Returns(200, userSchema)
  @ResponseHeaders('etag')
  @Conditional()
  async get(@CurrentUser() { userId }: Caller, @RequestConditions() conditions: Conditions) {
    const user = await this.users.getCached(userId);
    return Reply.versioned(user, etagOf(revisionOf(user)), conditions);
  }

  @Patch()
  @Summary('Change your profile')
  @Returns(200, userSchema)
  @ResponseHeaders('etag')
  @Conditional()
  @Accepts('application/merge-patch+json')
  @Writes()
  async patch(
    @CurrentUser() { userId }: Caller,
    @Body({ schema: patchUserSchema }) patch: PatchUser,
    @RequestConditions() conditions: Conditions,
  ) {
    const user = await this.users.patch(userId, patch, conditions.versions());
    return Reply.versioned(user, etagOf(revisionOf(user)));
  }

  @Delete()
  @Summary(
    'Delete your account with everything in it',
    'Needs a login of the last 10 minutes. It can not be undone.',
  )
  @ReturnsNothing(204)
  @Conditional()
  @Problems(403)
  @Writes()
  async delete(@CurrentUser() caller: Caller, @RequestConditions() conditions: Conditions): Promise<void> {
    requireRecentLogin(caller);
    await this.users.delete(caller.userId, conditions.versions());
  }

  @Get('export')
  @Summary('Export everything that is stored of you', 'One at a time. Counts as ten requests.')
  @Returns(200, exportSchema)
  @Problems(409)
  @RateLimitCost(() => exportCost)
  export(@CurrentUser() { userId }: Caller): Reply {
    return Reply.stream(this.exports.open(userId));
  }
}
