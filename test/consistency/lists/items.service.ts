import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../../libs/platform/database/database.js';
import { requireMember } from './memberships.service.js';
import { ItemNotFound } from './shared-lists.errors.js';
import { listScope } from './shared-lists.names.js';
import { rulesToken, type Rules } from './shared-lists.rules.js';
import type { Item, ItemPatch, NewItem } from './shared-lists.schemas.js';

export const itemColumns = 'id, list_id, title, version';

/**
 * Writes to items. Each raises the scope of the list that the item is in, and of the one that it leaves. Methods with an id
 * throw ItemNotFound; all throw NotAMember.
 */
@Injectable()
export class ItemsService {
  constructor(
    private readonly database: Database,
    @Inject(rulesToken) private readonly rules: Rules,
  ) {}

  add(userId: string, listId: string, { id, title }: NewItem): Promise<Item> {
    return this.database.write(async (manager, changes) => {
      await requireMember(manager, userId, listId);
      await manager.query('INSERT INTO shared_lists.items (id, list_id, title) VALUES ($1, $2, $3)', [
        ...[id, listId, title],
      ]);
      changes.add(listScope(listId));
      return { id, list_id: listId, title, version: 1 };
    });
  }

  patch(userId: string, id: string, { title, list_id: target }: ItemPatch): Promise<Item> {
    return this.database.write(async (manager, changes) => {
      const { list_id: listId } = await this.findForWrite(manager, id);
      await this.rules.pause(manager);
      for (const each of new Set([listId, target ?? listId])) {
        await requireMember(manager, userId, each);
        changes.add(listScope(each));
      }
      return changed(
        await manager.query<[Item[], number]>(
          `UPDATE shared_lists.items SET title = coalesce($2, title), list_id = coalesce($3, list_id), version = version + 1
           WHERE id = $1 RETURNING ${itemColumns}`,
          [id, title, target],
        ),
      );
    });
  }

  /** Returns the item as it was. */
  delete(userId: string, id: string): Promise<Item> {
    return this.database.write(async (manager, changes) => {
      const { list_id: listId } = await this.findForWrite(manager, id);
      await requireMember(manager, userId, listId);
      changes.add(listScope(listId));
      const sql = `DELETE FROM shared_lists.items WHERE id = $1 RETURNING ${itemColumns}`;
      return changed(await manager.query<[Item[], number]>(sql, [id]));
    });
  }

  private async findForWrite(manager: EntityManager, id: string): Promise<Item> {
    const lock = this.rules.locksItem ? 'FOR UPDATE' : '';
    const sql = `SELECT ${itemColumns} FROM shared_lists.items WHERE id = $1 ${lock}`;
    const [item] = await manager.query<Item[]>(sql, [id]);
    if (item === undefined) throw new ItemNotFound();
    return item;
  }
}

/** An UPDATE or DELETE returns the rows and their number. */
function changed([[item]]: [Item[], number]): Item {
  if (item === undefined) throw new ItemNotFound();
  return item;
}
