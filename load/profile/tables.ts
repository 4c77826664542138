import type { Frame } from './profile.js';

export interface Row {
  readonly name: string;
  readonly self: number;
  /** Of the whole profile. */
  readonly share: number;
}

/** Self time (or size) by folder, package and part of Node, the largest first. */
export const byGroup = (root: Frame): Row[] => rowsOf(root, ({ group }) => group);

/** The functions with the largest self time (or size). */
export const hottest = (root: Frame, count: number): Row[] =>
  rowsOf(root, ({ name, file, group }) => `${name}  ${file || group}`).slice(0, count);

function rowsOf(root: Frame, nameOf: (frame: Frame) => string): Row[] {
  const sums = new Map<string, number>();
  const visit = (frame: Frame): void => {
    const name = nameOf(frame);
    sums.set(name, (sums.get(name) ?? 0) + frame.self);
    frame.children.forEach(visit);
  };
  visit(root);
  return [...sums]
    .map(([name, self]) => ({ name, self, share: self / root.total }))
    .filter(({ self }) => self > 0)
    .sort((one, other) => other.self - one.self);
}

export const printed = (rows: readonly Row[]): string =>
  rows.map(({ name, share }) => `${(share * 100).toFixed(1).padStart(6)} %  ${name}\n`).join('');
