import { z } from 'zod';
import { timeZoneNamed } from './time-zones.js';

/**
 * Building blocks of the payload schemas. Each bounds what it takes and says the same in
 * JSON Schema, so that the OpenAPI document and the validation can't differ.
 */

/** White space as `String.prototype.trim` knows it, less the control characters. */
const space = '\\u0020\\u00A0\\u1680\\u2000-\\u200A\\u202F\\u205F\\u3000\\uFEFF';
const nul = '\\u0000';
const controlInText = '\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F';
/** C0, DEL, C1 and the two line separators. */
const control = '\\u0000-\\u001F\\u007F-\\u009F\\u2028\\u2029';
/**
 * What shows nothing: Default_Ignorable_Code_Point of Unicode 17 up to U+FFFF, as ranges, because not every validator of JSON
 * Schema knows the property. U+2800 is a Braille cell without a dot.
 */
const invisible =
  '\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u200B-\\u200F\\u202A-\\u202E\\u2060-\\u206F' +
  '\\u2800\\u3164\\uFE00-\\uFE0F\\uFFA0\\uFFF0-\\uFFF8';
/** One way to match it and so one pass: with `[^control]*` before the first character that is not blank there are n. */
const notBlank = `^[${space}${invisible}]*[^${space}${invisible}${control}][^${control}]*$`;

/** Characters as JSON Schema and Postgres count them (code points), not UTF-16 units. */
export const lengthOf = (value: string): number =>
  value.length - (value.match(/[\uD800-\uDBFF]/g)?.length ?? 0);

/** A string whose length is judged before anything else looks at it: a body may hold a megabyte of one. */
const bounded = (min: number, max: number) =>
  z
    .string()
    .refine(
      (value) => {
        const length = value.length > max * 2 ? Infinity : lengthOf(value);
        return length >= min && length <= max;
      },
      { message: `must have ${min} to ${max} characters`, abort: true },
    )
    .refine((value) => value.isWellFormed(), { message: 'holds a lone surrogate', abort: true });

/** One line of text: no control characters, not blank, trimmed. Its length counts before and after trimming. */
export const line = (min: number, max: number) =>
  bounded(min, max)
    // eslint-disable-next-line no-misleading-character-class -- variation selectors alone are meant
    .regex(new RegExp(notBlank), { message: 'must be one line that is not blank', abort: true })
    .refine(isVisible, 'must be one line that is not blank')
    .meta({ minLength: min, maxLength: max })
    .overwrite((value) => value.trim());

/** Characters that show nothing make no name: fillers, joiners, marks of direction. The pattern lists those up to U+FFFF. */
const isVisible = (value: string): boolean => !/^[\s\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(value);

/** Free text: tab and line breaks are its only control characters. */
export const text = (max: number) =>
  bounded(0, max)
    .regex(new RegExp(`^[^${controlInText}]*$`), 'must not hold control characters')
    .meta({ maxLength: max });

/** Secret text that is compared, never shown: any character but NUL, not trimmed. */
export const opaque = (min: number, max: number) =>
  bounded(min, max)
    .regex(new RegExp(`^[^${nul}]*$`), 'must not hold NUL')
    .meta({ minLength: min, maxLength: max });

/** RFC 3339 date-time with offset, years 0001 to 9999, as Postgres and JavaScript both can hold it. */
export const instant = () =>
  z
    .string()
    .max(64, { abort: true })
    // RFC 3339 takes `t` and `z` as well.
    .overwrite((value) => value.toUpperCase())
    .check(z.iso.datetime({ offset: true }))
    .refine((value) => isStorable(value), 'must be a real date between the years 1 and 9999')
    .transform((value) => new Date(value));

const firstInstant = Date.parse('0001-01-01T00:00:00Z');
const lastInstant = Date.parse('9999-12-31T23:59:59.999Z');

function isStorable(value: string): boolean {
  const time = Date.parse(value);
  return time >= firstInstant && time <= lastInstant;
}

/** A time in an answer: RFC 3339 in UTC with milliseconds. `parse` makes the text, `encode` the Date again. */
export const instantOut = () =>
  z
    .codec(z.date(), z.string(), {
      decode: (value) => value.toISOString(),
      encode: (text) => new Date(text),
    })
    .meta({ openapi: { type: 'string', format: 'date-time' } });

export const uuid = () => z.uuid().overwrite((value) => value.toLowerCase());

/** A whole number in a query string. */
export const integerParameter = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .meta({ openapi: { type: 'integer', minimum: min, maximum: max } });

export const booleanParameter = () =>
  z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .meta({ openapi: { type: 'boolean' } });

/** A query parameter with several values, which stand with commas between them or repeat its name. */
export const listParameter = (maxLength: number) =>
  z
    .preprocess(
      (value: unknown) => (Array.isArray(value) ? value.join(',') : value),
      z.string().max(maxLength),
    )
    .transform((value) => value.split(','));

/** More than any set of values: someone who repeats them all stays within `listParameter`'s length. */
const maxEntries = 16;

/** Values of a query parameter, each out of `values`, as a set. */
export const enumListParameter = <const V extends string>(values: readonly V[]) =>
  listParameter(200)
    .pipe(z.array(z.enum(values)).min(1).max(maxEntries))
    .transform((entries) => [...new Set(entries)])
    .meta({
      openapi: {
        type: 'array',
        items: { type: 'string', enum: [...values] },
        minItems: 1,
        maxItems: maxEntries,
      },
      explode: false,
    });

/** A parameter that may stand once or many times. */
export const repeatedParameter = <S extends z.ZodType>(schema: S, max: number) =>
  z.preprocess((value: unknown) => [value].flat(), z.array(schema).max(max));

/** An IANA time zone, canonical or an alias, in any case (`Europe/Kyiv`, `utc`); offsets such as `+02:00` are none. */
export const timeZone = () =>
  z
    .string()
    .max(64, { abort: true })
    .regex(/^[A-Za-z][A-Za-z0-9_+\-/]*$/, 'must be an IANA time zone')
    .refine((name) => timeZoneNamed(name) !== null, 'must be an IANA time zone')
    .overwrite((name) => timeZoneNamed(name) ?? name)
    .meta({
      openapi: {
        type: 'string',
        format: 'iana-time-zone',
        maxLength: 64,
        examples: ['UTC', 'Europe/Berlin'],
      },
    });
