import { identifyDatabaseByNameSql, identifyDatabaseSql } from './database-identity.js';
import { codeOf } from './error-code.js';
import type { PostgresServer } from './postgres-server.js';

const timelineSql =
  'INSERT INTO platform.timelines (timeline) VALUES ($1) ON CONFLICT ON CONSTRAINT pk_timelines DO NOTHING';

/** Gives the database of a new primary an id where it needs one, and writes its timeline into it. */
export async function recordPrimary(primary: PostgresServer, timeline: number): Promise<void> {
  await identify(primary);
  await primary.writeOn(timelineSql, [timeline]);
}

async function identify(primary: PostgresServer): Promise<void> {
  try {
    await primary.writeOn(identifyDatabaseSql);
  } catch (error) {
    if (codeOf(error) !== insufficientPrivilege) throw error;
    await primary.writeOn(identifyDatabaseByNameSql);
  }
}

const insufficientPrivilege = '42501';
