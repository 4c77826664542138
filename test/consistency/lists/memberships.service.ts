import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Cache } from '../../../libs/platform/cache/cache.js';
import { userScope } from '../../../libs/platform/context/scope.js';
import { Database } from '../../../libs/platform/database/database.js';
import { memberships } from './shared-lists.caches.js';
import { NotAMember, NotTheOwner } from './shared-lists.errors.js';
import { listScope } from './shared-lists.names.js';
import { rulesToken, type Rules } from './shared-lists.rules.js';
import type { Membership, NewList } from './shared-lists.schemas.js';

const isMemberSql =
  'SELECT is_member AS "isMember" FROM shared_lists.members WHERE list_id = $1 AND user_id = $2';

/** Lists and who shares them. */
@Injectable()
export class MembershipsService {
  constructor(
    private readonly database: Database,
    @Inject(memberships.token) private readonly cache: Cache<{ readonly isMember: boolean }>,
    @Inject(rulesToken) private readonly rules: Rules,
  ) {}

  /** The caller becomes the owner and first member. */
  async create(userId: string, { id, title }: NewList): Promise<Membership> {
    await this.database.write(async (manager, changes) => {
      await manager.query('INSERT INTO shared_lists.lists (id, owner_id, title) VALUES ($1, $2, $3)', [
        ...[id, userId, title],
      ]);
      await manager.query('INSERT INTO shared_lists.members (list_id, user_id) VALUES ($1, $2)', [
        id,
        userId,
      ]);
      changes.add(listScope(id));
    });
    return { version: 1, is_member: true, is_changed: true };
  }

  /**
   * Makes `memberId` a member or ends that. Everyone may do so for themselves, the owner for everyone.
   *
   * @throws NotTheOwner
   */
  change(userId: string, listId: string, memberId: string, isMember: boolean): Promise<Membership> {
    return this.database.write(async (manager, changes) => {
      if (memberId !== userId) await requireOwner(manager, userId, listId);
      const rows = await manager.query<ChangedRows>(isMember ? joinSql : leaveSql, [listId, memberId]);
      // An UPDATE returns the rows and their number.
      const [changed] = isMember ? (rows as Row[]) : (rows as [Row[], number])[0];
      if (this.rules.raisesMember) changes.add(userScope(memberId));
      changes.add(listScope(listId));
      const version = changed?.version ?? (await versionOf(manager, listId, memberId));
      return { version, is_member: isMember, is_changed: changed !== undefined };
    });
  }

  /**
   * By the cache or a replica. Others change it, so no token of the caller is enough.
   *
   * @throws NotAMember
   */
  async require(userId: string, listId: string): Promise<void> {
    const { isMember } = await this.cache.through(listId, async () => {
      const rows = await this.database.read(
        (manager) => manager.query<{ isMember: boolean }[]>(isMemberSql, [listId, userId]),
        { isOwnOnly: false },
      );
      return { value: { isMember: rows[0]?.isMember === true } };
    });
    if (!isMember) throw new NotAMember();
  }
}

interface Row {
  readonly version: number;
}
type ChangedRows = Row[] | [Row[], number];

const joinSql = `
  INSERT INTO shared_lists.members AS known (list_id, user_id) VALUES ($1, $2)
  ON CONFLICT ON CONSTRAINT pk_members
    DO UPDATE SET is_member = true, version = known.version + 1 WHERE NOT known.is_member
  RETURNING version`;
const leaveSql = `
  UPDATE shared_lists.members SET is_member = false
  WHERE list_id = $1 AND user_id = $2 AND is_member RETURNING version`;

/** For a write, in its transaction. @throws NotAMember */
export async function requireMember(manager: EntityManager, userId: string, listId: string): Promise<void> {
  const [row] = await manager.query<{ isMember: boolean }[]>(isMemberSql, [listId, userId]);
  if (row?.isMember !== true) throw new NotAMember();
}

async function requireOwner(manager: EntityManager, userId: string, listId: string): Promise<void> {
  const sql = 'SELECT FROM shared_lists.lists WHERE id = $1 AND owner_id = $2';
  const found = await manager.query<object[]>(sql, [listId, userId]);
  if (found.length === 0) throw new NotTheOwner();
}

/** 0 for someone who has never joined. */
async function versionOf(manager: EntityManager, listId: string, userId: string): Promise<number> {
  const sql = 'SELECT version FROM shared_lists.members WHERE list_id = $1 AND user_id = $2 FOR SHARE';
  const [row] = await manager.query<Row[]>(sql, [listId, userId]);
  return row?.version ?? 0;
}
