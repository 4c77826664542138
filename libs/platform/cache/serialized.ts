import { createHash } from 'node:crypto';
import type { z } from 'zod';

/**
 * The JSON of a value, serialized once and sent unchanged. Opaque to services: they see its hash and a few short
 * attributes, such as the cursor of the next page.
 */
export class Serialized<T> {
  /** Only for the compiler: JSON of one type is not JSON of another. */
  declare protected readonly type: T;

  private constructor(
    /** UTF-8. */
    readonly json: Buffer,
    /** Of the bytes: equal hashes are equal answers. */
    readonly hash: string,
    readonly attributes: Readonly<Record<string, string>>,
  ) {}

  /** The value goes through its schema first, so that nothing undeclared is sent. */
  static of<S extends z.ZodType>(
    schema: S,
    value: z.input<S>,
    attributes: Readonly<Record<string, string>> = {},
  ): Serialized<z.input<S>> {
    const json = Buffer.from(JSON.stringify(schema.parse(value)));
    return new Serialized(json, createHash('sha1').update(json).digest('base64url'), attributes);
  }

  /** As it was stored. */
  static restore<T>(
    json: Buffer,
    { hash, attributes }: Pick<Serialized<T>, 'hash' | 'attributes'>,
  ): Serialized<T> {
    return new Serialized(json, hash, attributes);
  }
}
