/** The standbys that confirm commits: `count` of them have to flush each one. Names are in lower case, as Postgres compares them. */
export interface Confirmations {
  readonly count: number;
  readonly names: readonly string[];
}

const form = /^\s*any\s+(\d+)\s*\((.*)\)\s*$/is;
const element = /\s*(?:"((?:[^"]|"")+)"|([a-z_\u0080-\uffff][\w$\u0080-\uffff]*))\s*(,|$)/iy;

/**
 * Reads the value of `synchronous_standby_names`. Null for all but `ANY n (name, …)`: where it is empty nobody confirms, `*` names
 * nobody, and with `FIRST` other standbys count from one moment to the next.
 */
export function parseStandbyNames(setting: string): Confirmations | null {
  const [, count, list] = form.exec(setting) ?? [];
  if (count === undefined || list === undefined) return null;
  const names: string[] = [];
  element.lastIndex = 0;
  for (let isLast = false; !isLast;) {
    const found = element.exec(list);
    if (found === null) return null;
    const [, quoted, plain, end] = found;
    names.push((quoted?.replaceAll('""', '"') ?? plain ?? '').toLowerCase());
    isLast = end === '';
  }
  if (names.includes('*') || new Set(names).size < names.length) return null;
  return Number(count) >= 1 && Number(count) <= names.length ? { count: Number(count), names } : null;
}
