/** Random, except for one digit, which is the version of the UUID. */
const newId = `left(replace(gen_random_uuid()::text, '-', ''), 16)`;

const store = (systemIdentifier: string, condition: string): string => `
  INSERT INTO platform.database_identity AS known (id, system_identifier, database_oid, database_name)
  SELECT ${newId}, ${systemIdentifier}, oid, datname FROM pg_database WHERE datname = current_database()
  ON CONFLICT ON CONSTRAINT pk_database_identity DO UPDATE
    SET id = excluded.id, system_identifier = excluded.system_identifier, database_oid = excluded.database_oid,
      database_name = excluded.database_name, given_at = now()
    WHERE ${condition}
  RETURNING id`;

const ofServer = '(SELECT system_identifier::text FROM pg_control_system())';

const isElsewhere = (columns: readonly string[]): string =>
  `(${columns.map((name) => `known.${name}`).join()}) IS DISTINCT FROM (${columns.map((name) => `excluded.${name}`).join()})`;

/** Gives the database an id where it has none, or where it was copied to another server or another name. */
export const identifyDatabaseSql = store(
  ofServer,
  isElsewhere(['system_identifier', 'database_oid', 'database_name']),
);

/** The same for a role that may not ask for the identifier of the server: a copy on another server keeps its id. */
export const identifyDatabaseByNameSql = store("'unknown'", isElsewhere(['database_oid', 'database_name']));

/** Gives it another id in any case: a restored or cloned copy can't be told from the original by what it says. */
export const renewDatabaseIdSql = `
  UPDATE platform.database_identity SET id = ${newId}, given_at = now() RETURNING id`;
