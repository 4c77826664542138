/** A token of PromQL: a string, a comment, a number with its unit, a name, or an operator. */
const token =
  /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*|\d[\w.]*(?:[eE][+-]?\d+)?|[A-Za-z_:][\w:]*|\s+|[^\s\w]/g;

const words = new Set(
  'and or unless atan2 bool offset start end inf nan by without on ignoring group_left group_right'.split(
    ' ',
  ),
);
/** Keywords that are followed by a list of labels in parentheses. */
const grouping = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

/** All vector selectors of an expression, such as `up{job="task-api"}`, without ranges, offsets and functions. */
export function selectorsOf(expr: string): readonly string[] {
  const tokens = (expr.match(token) ?? []).filter((text) => !/^(\s|#)/.test(text));
  const selectors: string[] = [];
  for (let n = 0; n < tokens.length; n++) {
    const text = tokens[n] ?? '';
    if (grouping.has(text.toLowerCase()) && tokens[n + 1] === '(') {
      n = tokens.indexOf(')', n);
    } else if (text === '[') {
      n = tokens.indexOf(']', n);
    } else if (text === '{' || (isName(text) && !isFollowedByList(tokens[n + 1] ?? ''))) {
      const opening = text === '{' ? n : n + 1;
      const end = tokens[opening] === '{' ? tokens.indexOf('}', opening) : n;
      selectors.push(tokens.slice(n, end + 1).join(''));
      n = end;
    }
  }
  return selectors;
}

/** The metric that the selector names. */
export const metricOf = (selector: string): string => selector.split('{', 1)[0] ?? '';

/** Whether the name is a function or an aggregation, as in `sum by (job) (…)`. */
const isFollowedByList = (next: string): boolean => /^(\(|by|without)$/i.test(next);

const isName = (text: string): boolean => /^[A-Za-z_:]/.test(text) && !words.has(text.toLowerCase());
