import { createHash } from 'node:crypto';

/** A statement that each connection parses and plans once, under this name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** It takes little time whatever its values are: it may be sent together with those of other calls. */
  readonly isQuick?: true;
}

/** Columns in their order, as Postgres writes them as text. */
export type TextRow = readonly (string | null)[];

/** To be kept: the name is the hash of the text, so that the same text has one plan in each connection. */
export const prepared = (text: string): Statement => ({
  name: createHash('sha256').update(text).digest('base64url').slice(0, 22),
  text,
});

/** The same for a read that takes little time whatever its values are, such as one row by its id or a page by an index. */
export const quick = (text: string): Statement => ({ ...prepared(text), isQuick: true });

/** A statement that is parsed and planned each time: for texts of which there are too many to keep their plans. */
export const unprepared = (text: string): Statement => ({ name: '', text });
