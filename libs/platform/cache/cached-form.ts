import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Serialized } from './serialized.js';

/** How the values of a cache are kept in Redis, and how much memory they take. */
export interface CachedForm<V> {
  /** Identifies the shape of the values: entries of another version of it, from a process of another version, are not found. */
  readonly shape: string;
  encode(value: V): Buffer;
  /** @throws Error where the bytes are not of this form */
  decode(bytes: Buffer): V;
  /** Bytes that the value takes in the process, roughly. */
  sizeOf(value: V): number;
}

/** Values: JSON, encoded and decoded by a schema of codecs, such as `instantOut`. */
export function valueForm<S extends z.ZodType>(schema: S): CachedForm<z.input<S>> {
  const encode = (value: z.input<S>) => Buffer.from(JSON.stringify(schema.parse(value)));
  return {
    shape: shapeOf(schema),
    encode,
    decode: (bytes) => schema.encode(JSON.parse(bytes.toString()) as z.output<S>),
    sizeOf: (value) => encode(value).length,
  };
}

const newline = 0x0a;

/** Answers of that schema, ready to send: a line with hash and attributes, then the JSON. */
export const serializedForm = <S extends z.ZodType>(schema: S): CachedForm<Serialized<z.input<S>>> => ({
  shape: shapeOf(schema),
  encode: ({ json, hash, attributes }) =>
    Buffer.concat([Buffer.from(`${JSON.stringify({ hash, attributes })}\n`), json]),
  decode: (bytes) => {
    const end = bytes.indexOf(newline);
    const head = JSON.parse(bytes.toString('utf8', 0, end)) as Pick<
      Serialized<z.input<S>>,
      'hash' | 'attributes'
    >;
    return Serialized.restore<z.input<S>>(ownMemory(bytes.subarray(end + 1)), head);
  },
  sizeOf: ({ json, attributes }) => json.length + 2 * JSON.stringify(attributes).length,
});

function shapeOf(schema: z.ZodType): string {
  const description = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  return createHash('sha256').update(JSON.stringify(description)).digest('base64url').slice(0, 8);
}

/** A slice of a larger buffer, such as one from the network, would keep the whole buffer in memory. */
function ownMemory(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
