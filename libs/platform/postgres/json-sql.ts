/**
 * JSON that Postgres writes as the service's own serializer would, so that rows are sent as they come. Concatenating its
 * parts takes Postgres about half as long as `row_to_json` of the same columns with their times as text.
 */

/** RFC 3339 in UTC with milliseconds, as text; null for null. For times between the years 1 and 9999. */
export const isoTime = (time: string): string =>
  `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** How a member is written, by the SQL expression of its value. None but those that say so takes null. */
export const json = {
  /** Text of any kind, and arrays. */
  value: (sql: string): string => `to_json(${sql})`,
  /** What needs no escapes: ids and enums. */
  plain: (sql: string): string => `'"' || ${sql} || '"'`,
  number: (sql: string): string => sql,
  numberOrNull: (sql: string): string => `coalesce((${sql})::text, 'null')`,
  time: (sql: string): string => `'"' || ${isoTime(sql)} || '"'`,
  timeOrNull: (sql: string): string => `coalesce('"' || ${isoTime(sql)} || '"', 'null')`,
};

/** An object with these members in their order, as text: the expression of each is one of `json`. */
export function jsonObject(members: Readonly<Record<string, string>>): string {
  const parts = Object.entries(members).map(
    ([name, sql], n) => `'${n === 0 ? '{' : ','}${JSON.stringify(name)}:' || ${sql}`,
  );
  return `${parts.join(' || ')} || '}'`;
}
