import { createHash } from 'node:crypto';

/** A statement that each connection parses and plans once, under this name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Columns in their order, as Postgres writes them as text. */
export type TextRow = readonly (string | null)[];

/** To be kept: the name is the hash of the text, so that the same text has one plan in each connection. */
export const prepared = (text: string): Statement => ({
  name: createHash('sha256').update(text).digest('base64url').slice(0, 22),
  text,
});

/** A statement that is parsed and planned each time: for texts of which there are too many to keep their plans. */
export const unprepared = (text: string): Statement => ({ name: '', text });
