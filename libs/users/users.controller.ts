import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Headers, Patch } from '@nestjs/common';
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
import { etagOf, expectedVersions } from '../platform/http/etag.js';
import { Reply } from '../platform/http/reply.js';
import { ExportService } from './export.service.js';
import { exportSchema, patchUserSchema, userSchema, type PatchUser } from './users.schemas.js';
import { revisionOf, UsersService } from './users.service.js';

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
  @Conditional('If-None-Match')
  async get(@CurrentUser() { userId }: Caller, @Headers('if-none-match') ifNoneMatch?: string) {
    const user = await this.users.getCached(userId);
    return Reply.versioned(user, etagOf(revisionOf(user)), ifNoneMatch);
  }

  @Patch()
  @Summary('Change your profile')
  @Returns(200, userSchema)
  @ResponseHeaders('etag')
  @Conditional('If-Match')
  @Accepts('application/merge-patch+json')
  @Writes()
  async patch(
    @CurrentUser() { userId }: Caller,
    @Body({ schema: patchUserSchema }) patch: PatchUser,
    @Headers('if-match') ifMatch?: string,
  ) {
    const user = await this.users.patch(userId, patch, expectedVersions(ifMatch));
    return Reply.versioned(user, etagOf(revisionOf(user)));
  }

  @Delete()
  @Summary(
    'Delete your account with everything in it',
    'Needs a login of the last 10 minutes. It can not be undone.',
  )
  @ReturnsNothing(204)
  @Conditional('If-Match')
  @Problems(403)
  @Writes()
  async delete(@CurrentUser() caller: Caller, @Headers('if-match') ifMatch?: string): Promise<void> {
    requireRecentLogin(caller);
    await this.users.delete(caller.userId, expectedVersions(ifMatch));
  }

  @Get('export')
  @Summary('Export everything that is stored of you')
  @Returns(200, exportSchema)
  export(@CurrentUser() { userId }: Caller): Reply {
    return Reply.stream(Readable.from(this.exports.write(userId), { objectMode: false }));
  }
}
