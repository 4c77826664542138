import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Serialized } from './serialized.js';

/** How the values of a cache are kept in Redis, and how much memory they take. */
export interface CachedForm<V> {
  /** Identifies the shape of the values: entries of another version of it, from a process of another version, are not found. */
  readonly shape: string;
  encode(value: V): string;
  /** @throws Error where the text is not of this form */
  decode(text: string): V;
  /** Bytes that the value takes in the process, roughly. */
  sizeOf(value: V): number;
}

/** Values: JSON, encoded and decoded by a schema of codecs, such as `instantOut`. */
export function valueForm<S extends z.ZodType>(schema: S): CachedForm<z.input<S>> {
  const encode = (value: z.input<S>) => JSON.stringify(schema.parse(value));
  return {
    shape: shapeOf(schema),
    encode,
    decode: (text) => schema.encode(JSON.parse(text) as z.output<S>),
    sizeOf: (value) => 2 * encode(value).length,
  };
}

/** Answers of that schema, ready to send: a line with hash and attributes, then the JSON. */
export const serializedForm = <S extends z.ZodType>(schema: S): CachedForm<Serialized<z.input<S>>> => ({
  shape: shapeOf(schema),
  encode: ({ json, hash, attributes }) => `${JSON.stringify({ hash, attributes })}\n${json}`,
  decode: (text) => {
    const end = text.indexOf('\n');
    const head = JSON.parse(text.slice(0, end)) as Pick<Serialized<z.input<S>>, 'hash' | 'attributes'>;
    return Serialized.restore<z.input<S>>(text.slice(end + 1), head);
  },
  // A text with characters beyond Latin-1 takes two bytes for each.
  sizeOf: ({ json, attributes }) => 2 * (json.length + JSON.stringify(attributes).length),
});

function shapeOf(schema: z.ZodType): string {
  const description = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  return createHash('sha256').update(JSON.stringify(description)).digest('base64url').slice(0, 8);
}
