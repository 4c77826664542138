import { isIP } from 'node:net';
import { z } from 'zod';

/** A variable of the environment: its schema reads the string and carries default and description. */
export type Variables = Readonly<Record<string, z.ZodType>>;
export type Environment<V extends Variables> = { readonly [K in keyof V]: z.output<V[K]> };

/** Lists every problem at once, so that an operator corrects the configuration in one go. */
export class InvalidEnvironment extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.name = 'InvalidEnvironment';
  }
}

/**
 * Parses the environment once; the result is frozen and nothing else reads `process.env`.
 * An empty string counts as not set. Values never appear in the messages: they may be secrets.
 *
 * @throws InvalidEnvironment with all problems
 */
export function parseEnvironment<V extends Variables>(
  source: Readonly<Record<string, string | undefined>>,
  variables: V,
): Environment<V> {
  const given = Object.fromEntries(
    Object.keys(variables).flatMap((name) => (source[name] ? [[name, source[name]]] : [])),
  );
  const result = z.object(variables).safeParse(given);
  if (!result.success) {
    throw new InvalidEnvironment(
      result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).sort(),
    );
  }
  return Object.freeze(result.data) as Environment<V>;
}

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

export const flag = () => z.enum(['true', 'false']).transform((value) => value === 'true');

/** Comma-separated, blanks trimmed, empty entries dropped. */
export const list = () =>
  z.string().transform((value) =>
    value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );

/** Comma-separated IP addresses and CIDR ranges. */
export const addressRanges = () =>
  list().refine((entries) => entries.every(isAddressRange), {
    message: 'must be IP addresses or CIDR ranges such as 10.0.0.0/8',
  });

/** The range of all addresses is refused: trusting all proxies means trusting every client. */
function isAddressRange(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : 0;
  return rest.length === 0 && length > 0 && length <= bits;
}

export const url = (...protocols: string[]) =>
  z.string().refine((value) => protocols.some((protocol) => isUrl(value, protocol)), {
    message: `must be a URL with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  });

function isUrl(value: string, protocol: string): boolean {
  return URL.canParse(value) && new URL(value).protocol === `${protocol}:`;
}
