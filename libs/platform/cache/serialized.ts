import { hash } from 'node:crypto';
import type { z } from 'zod';

/**
 * The JSON of a value, serialized once and sent unchanged. Opaque to services: they see its hash and a few short
 * attributes, such as the cursor of the next page.
 */
export class Serialized<T> {
  /** Only for the compiler: JSON of one type is not JSON of another. */
  declare protected readonly type: T;

  private constructor(
    /**
     * Text rather than bytes: Node sends it in one piece with the headers, and it lives in the heap, where many short-lived
     * values of some kilobytes cost little. Buffers of that size are allocated one by one outside of it.
     */
    readonly json: string,
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
    return Serialized.ofJson(JSON.stringify(schema.parse(value)), attributes);
  }

  /** JSON that was written elsewhere, such as by Postgres. Whoever wrote it sees to its shape, and a test to that. */
  static ofJson<T>(json: string, attributes: Readonly<Record<string, string>> = {}): Serialized<T> {
    return new Serialized(json, hash('sha1', json, 'base64url'), attributes);
  }

  /** As it was stored. */
  static restore<T>(
    json: string,
    { hash, attributes }: Pick<Serialized<T>, 'hash' | 'attributes'>,
  ): Serialized<T> {
    return new Serialized(json, hash, attributes);
  }
}
