import { MalformedRequest } from '../errors/common-errors.js';

/** Deeper than any document of this API; keeps every later recursion shallow. */
const maxDepth = 32;
/** More than any document of this API has: a megabyte of small ones would take a tenth of a second. */
const maxParts = 20_000;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Parses JSON as I-JSON (RFC 7493): UTF-8, no duplicate keys, no lone surrogates; and
 * bounded in depth and in the number of its strings, objects and arrays, without the keys that pollute prototypes.
 *
 * @throws MalformedRequest (400) with what is wrong and, where it is known, where
 */
export function parseStrictJson(body: Buffer): unknown {
  const text = decode(body);
  checkStructure(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(',', 1)[0] ?? '') : '';
    throw new MalformedRequest(
      `The body is not valid JSON${/position/.test(reason) ? `: ${reason}` : ''}.`,
      'malformed_json',
    );
  }
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new MalformedRequest('The body is not valid UTF-8.', 'malformed_json');
  }
}

/**
 * One pass over the tokens that JSON.parse is silent about. It may run on text that is no
 * JSON: then JSON.parse, which comes after it, says so.
 */
function checkStructure(text: string): void {
  const scopes: (Set<string> | null)[] = [];
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    const isPart = character === '{' || character === '[' || character === '"';
    if (isPart && ++parts > maxParts)
      throw new MalformedRequest(`The body has more than ${maxParts} parts.`, 'malformed_json');
    if (character === '{' || character === '[') {
      if (scopes.push(character === '{' ? new Set() : null) > maxDepth) {
        throw new MalformedRequest(`The body is nested deeper than ${maxDepth} levels.`, 'malformed_json');
      }
    } else if (character === '}' || character === ']') {
      scopes.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      checkString(text.slice(at, end + 1), isKey(text, end) ? scopes.at(-1) : null);
      at = end;
    }
  }
}

/** Index of the closing quote of the string that opens at `start`, or of the last character. */
function endOfString(text: string, start: number): number {
  // Searching for the quote is ten times as fast as looking at each character of a long text.
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return text[at] === ':';
}

function checkString(literal: string, keys: Set<string> | null | undefined): void {
  const hasEscape = literal.includes('\\');
  if (!hasEscape && !keys) return;
  const value = hasEscape ? unescape(literal) : literal.slice(1, -1);
  if (value === null) return;
  if (!value.isWellFormed()) throw new MalformedRequest('The body holds a lone surrogate.', 'malformed_json');
  if (!keys) return;
  if (forbiddenKeys.has(value))
    throw new MalformedRequest(`The key "${value}" is not allowed.`, 'malformed_json');
  if (keys.has(value))
    throw new MalformedRequest(`The key ${JSON.stringify(value)} stands twice.`, 'malformed_json');
  keys.add(value);
}

function unescape(literal: string): string | null {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
