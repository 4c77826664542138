import { Body, Controller, Delete, Get, Param, Patch } from '@nestjs/common';
import type { Caller } from '../../../libs/platform/context/caller.js';
import { CurrentUser } from '../../../libs/platform/http/call-adapter.js';
import { Problems, Returns, Summary, Writes } from '../../../libs/platform/http/endpoint.js';
import { ItemsService } from './items.service.js';
import { ListReadsService } from './list-reads.service.js';
import { idSchema, itemPatchSchema, itemSchema, type ItemPatch } from './shared-lists.schemas.js';

@Controller('/v1/test-list-items')
export class ItemsController {
  constructor(
    private readonly items: ItemsService,
    private readonly reads: ListReadsService,
  ) {}

  @Get(':id')
  @Summary('Read an item')
  @Returns(200, itemSchema)
  @Problems(403)
  read(@CurrentUser() { userId }: Caller, @Param('id', { schema: idSchema }) id: string) {
    return this.reads.item(userId, id);
  }

  @Get(':id/by-place')
  @Summary('Read an item by the list that you were last told')
  @Returns(200, itemSchema)
  @Problems(403)
  readByPlace(@CurrentUser() { userId }: Caller, @Param('id', { schema: idSchema }) id: string) {
    return this.reads.itemByPlace(userId, id);
  }

  @Patch(':id')
  @Summary('Change an item or move it to another list')
  @Returns(200, itemSchema)
  @Problems(403)
  @Writes()
  patch(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: idSchema }) id: string,
    @Body({ schema: itemPatchSchema }) patch: ItemPatch,
  ) {
    return this.items.patch(userId, id, patch);
  }

  @Delete(':id')
  @Summary('Delete an item', 'Answers what it was.')
  @Returns(200, itemSchema)
  @Problems(403)
  @Writes()
  delete(@CurrentUser() { userId }: Caller, @Param('id', { schema: idSchema }) id: string) {
    return this.items.delete(userId, id);
  }
}
