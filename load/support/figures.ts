/** One ratio or limit that a bench checks. */
export interface Figure {
  readonly bench: string;
  readonly what: string;
  readonly value: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export const isReached = ({ value, atMost = Infinity, atLeast = -Infinity }: Figure): boolean =>
  value <= atMost && value >= atLeast;

const wantedOf = ({ atMost, atLeast }: Figure): string =>
  [atMost === undefined ? '' : `≤ ${round(atMost)}`, atLeast === undefined ? '' : `≥ ${round(atLeast)}`]
    .filter((part) => part !== '')
    .join(', ');

const round = (value: number): string => String(Number(value.toPrecision(4)));

/** Prints the figure and, if this bench is one of several, sends it to the parent process. A missed figure sets exit code 1. */
export function report(figure: Figure): void {
  process.stdout.write(table([figure]));
  process.send?.(figure);
  if (!isReached(figure)) process.exitCode = 1;
}

/** Prints a line that is not a figure. */
export const say = (line: string): void => void process.stdout.write(`${line}\n`);

export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.bench,
    figure.what,
    round(figure.value),
    wantedOf(figure),
    isReached(figure) ? 'pass' : 'FAIL',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`)
    .join('');
}
