import { Body, Controller, Delete, Get, Param, Post, Put } from '@nestjs/common';
import type { Caller } from '../../../libs/platform/context/caller.js';
import { CurrentUser } from '../../../libs/platform/http/call-adapter.js';
import { DependsOn, Problems, Returns, Summary, Writes } from '../../../libs/platform/http/endpoint.js';
import { RequestConditions, type Conditions } from '../../../libs/platform/http/etag.js';
import { Reply } from '../../../libs/platform/http/reply.js';
import { ItemsService } from './items.service.js';
import { ListReadsService } from './list-reads.service.js';
import { MembershipsService } from './memberships.service.js';
import { listScope } from './shared-lists.names.js';
import {
  idSchema,
  itemSchema,
  listSchema,
  membershipSchema,
  newItemSchema,
  newListSchema,
  type NewItem,
  type NewList,
} from './shared-lists.schemas.js';

@Controller('/v1/test-lists')
export class ListsController {
  constructor(
    private readonly memberships: MembershipsService,
    private readonly items: ItemsService,
    private readonly reads: ListReadsService,
  ) {}

  @Post()
  @Summary('Create a shared list')
  @Returns(201, membershipSchema)
  @Writes()
  create(@CurrentUser() { userId }: Caller, @Body({ schema: newListSchema }) data: NewList) {
    return this.memberships.create(userId, data);
  }

  @Get(':id')
  @Summary('Read a list with its items')
  @DependsOn(({ id = '' }) => [listScope(id)])
  @Returns(200, listSchema)
  @Problems(403)
  async read(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: idSchema }) id: string,
    @RequestConditions() conditions: Conditions,
  ) {
    return Reply.serialized(await this.reads.list(userId, id), { userId, conditions });
  }

  @Post(':id/items')
  @Summary('Add an item')
  @Returns(201, itemSchema)
  @Problems(403)
  @Writes()
  add(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: newItemSchema }) data: NewItem,
  ) {
    return this.items.add(userId, id, data);
  }

  @Put(':id/members/:user')
  @Summary('Join, or add a member')
  @Returns(200, membershipSchema)
  @Problems(403)
  @Writes()
  join(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: idSchema }) id: string,
    @Param('user', { schema: idSchema }) user: string,
  ) {
    return this.memberships.change(userId, id, user, true);
  }

  @Delete(':id/members/:user')
  @Summary('Leave, or remove a member')
  @Returns(200, membershipSchema)
  @Problems(403)
  @Writes()
  leave(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: idSchema }) id: string,
    @Param('user', { schema: idSchema }) user: string,
  ) {
    return this.memberships.change(userId, id, user, false);
  }
}
