import { Readable } from 'node:stream';
import { Body, Controller, Delete, Get, Headers, Patch } from '@nestjs/common';
import { replyWith } from '../platform/cache/answer.js';
import { Endpoint } from '../platform/http/endpoint.js';
import { Reply } from '../platform/http/reply.js';
import { CurrentUser, requireRecentLogin, type Principal } from '../platform/security/principal.js';
import { ExportService } from './export.service.js';
import { exportSchema, patchUserSchema, userSchema, type PatchUser } from './users.schemas.js';
import { etagOf, UsersService } from './users.service.js';

@Controller('/v1/users/me')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly exports: ExportService,
  ) {}

  @Get()
  @Endpoint({
    summary: 'Read your profile',
    status: 200,
    response: userSchema,
    headers: ['etag'],
    conditions: ['If-None-Match'],
  })
  async get(@CurrentUser() { userId }: Principal, @Headers('if-none-match') ifNoneMatch?: string) {
    return replyWith(await this.users.answer(userId), ifNoneMatch);
  }

  @Patch()
  @Endpoint({
    summary: 'Change your profile',
    status: 200,
    response: userSchema,
    headers: ['etag'],
    conditions: ['If-Match'],
    writes: 'users',
    bodyTypes: ['application/merge-patch+json'],
  })
  async patch(
    @CurrentUser() { userId }: Principal,
    @Body({ schema: patchUserSchema }) patch: PatchUser,
    @Headers('if-match') ifMatch?: string,
  ) {
    const user = await this.users.patch(userId, patch, ifMatch);
    return new Reply(user, { headers: { etag: etagOf(user) } });
  }

  @Delete()
  @Endpoint({
    summary: 'Delete your account with everything in it',
    description: 'Needs a login of the last 10 minutes. It can not be undone.',
    status: 204,
    response: null,
    conditions: ['If-Match'],
    writes: 'users',
    problems: [403],
  })
  async delete(@CurrentUser() principal: Principal, @Headers('if-match') ifMatch?: string): Promise<void> {
    requireRecentLogin(principal);
    await this.users.delete(principal.userId, ifMatch);
  }

  @Get('export')
  @Endpoint({ summary: 'Export everything that is kept of you', status: 200, response: exportSchema })
  export(@CurrentUser() { userId }: Principal): Reply {
    return new Reply(Readable.from(this.exports.write(userId), { objectMode: false }), {
      headers: { 'content-type': 'application/json; charset=utf-8' },
      isFinal: true,
    });
  }
}
