import type { z } from 'zod';
import type { Variables } from './environment.js';

/** The variables as a Markdown table, out of the schemas that parse them. */
export function describeVariables(variables: Variables): string {
  const rows = Object.entries(variables).map(
    ([name, schema]) => `| \`${name}\` | ${defaultOf(schema)} | ${schema.description ?? ''} |`,
  );
  return ['| variable | default | what it is |', '|---|---|---|', ...rows, ''].join('\n');
}

function defaultOf(schema: z.ZodType): string {
  const result = schema.safeParse(undefined);
  if (!result.success) return 'needed';
  if (result.data === undefined) return '—';
  const text = Array.isArray(result.data) ? result.data.join(',') : JSON.stringify(result.data);
  return text === '' ? '(empty)' : `\`${text.replaceAll('"', '')}\``;
}
