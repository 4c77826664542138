import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Cache } from '../../../libs/platform/cache/cache.js';
import { Serialized } from '../../../libs/platform/cache/serialized.js';
import { userScope, type Scope } from '../../../libs/platform/context/scope.js';
import { Database } from '../../../libs/platform/database/database.js';
import { itemColumns } from './items.service.js';
import { MembershipsService } from './memberships.service.js';
import { itemPlaces, listViews } from './shared-lists.caches.js';
import { ItemNotFound } from './shared-lists.errors.js';
import { listScope } from './shared-lists.names.js';
import { rulesToken, type Rules } from './shared-lists.rules.js';
import { listSchema, type Item, type List } from './shared-lists.schemas.js';

const scopesOf = (item: Item): readonly Scope[] => [listScope(item.list_id)];

/** Reads. They throw NotAMember, and ItemNotFound where there is no such item. */
@Injectable()
export class ListReadsService {
  constructor(
    private readonly database: Database,
    private readonly memberships: MembershipsService,
    @Inject(listViews.token) private readonly views: Cache<Serialized<List>>,
    @Inject(itemPlaces.token) private readonly places: Cache<{ readonly listId: string }>,
    @Inject(rulesToken) private readonly rules: Rules,
  ) {}

  /** The list and all its items: one cached entry for all members, each of whom is asked for their membership first. */
  async list(userId: string, listId: string): Promise<Serialized<List>> {
    const { asksMembership } = this.rules;
    if (asksMembership) await this.memberships.require(userId, listId);
    const fill = async () => {
      if (!asksMembership) await this.memberships.require(userId, listId);
      return { value: await this.readList(listId) };
    };
    return this.views.through(listId, fill, { scopes: [listScope(listId)] });
  }

  /** An item tells which list it is in, and so what it depends on. */
  async item(userId: string, id: string): Promise<Item> {
    const run = (manager: EntityManager) => findItem(manager, id);
    const isThere = this.rules.confirmsAbsence || (await this.database.read(run)) !== null;
    const item = isThere ? await this.database.readAndLearn(run, scopesOf) : null;
    if (item === null) throw new ItemNotFound();
    await this.memberships.require(userId, item.list_id);
    return item;
  }

  /**
   * The item by the list that the caller was last told, as a guest's link would: it shows the caller's own writes. Those of
   * others after a move that the caller was not told of come later.
   */
  async itemByPlace(userId: string, id: string): Promise<Item> {
    const { listId } = await this.places.through(id, async () => ({
      value: { listId: (await this.item(userId, id)).list_id },
    }));
    const scopes = [userScope(userId), listScope(listId)];
    const item = await this.database.read((manager) => findItem(manager, id), { scopes });
    if (item === null) throw new ItemNotFound();
    await this.memberships.require(userId, item.list_id);
    return item;
  }

  private async readList(listId: string): Promise<Serialized<List>> {
    const [list] = await this.database.read(
      (manager) =>
        manager.query<List[]>(
          `SELECT id, title, (
             SELECT coalesce(json_agg(json_build_object(
               'id', id, 'list_id', list_id, 'title', title, 'version', version) ORDER BY id), '[]')
             FROM shared_lists.items WHERE list_id = list.id) AS items
           FROM shared_lists.lists AS list WHERE id = $1`,
          [listId],
        ),
      { scopes: [listScope(listId)] },
    );
    // A member has joined it, so every server that shows the list's last write has it.
    if (list === undefined) throw new Error('A list with members is not there.');
    return Serialized.of(listSchema, list);
  }
}

async function findItem(manager: EntityManager, id: string): Promise<Item | null> {
  const sql = `SELECT ${itemColumns} FROM shared_lists.items WHERE id = $1`;
  const [item] = await manager.query<Item[]>(sql, [id]);
  return item ?? null;
}
