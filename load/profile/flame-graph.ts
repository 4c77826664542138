import type { Kind } from './origin.js';
import type { Frame } from './profile.js';

const height = 17;
const headHeight = 48;
/** Frames below this share of the whole are left out: their width would be less than two pixels. */
const minShare = 0.001;
const width = 1800;

const colours: Readonly<Record<Kind, string>> = {
  ours: '#f4a259',
  package: '#8cb4d9',
  node: '#9ccc9c',
  collection: '#e57373',
  native: '#c9c9c9',
};
const meaning: Readonly<Record<Kind, string>> = {
  ours: 'our code',
  package: 'packages',
  node: "Node's own modules",
  collection: 'garbage collection',
  native: 'native code',
};

interface Place {
  readonly frame: Frame;
  readonly depth: number;
  /** Distance from the left, as a share of the whole. */
  readonly from: number;
}

/** An SVG without scripts: a function lies on the one that called it, and the tooltip names its file and share. */
export function flameGraph(root: Frame, title: string): string {
  const places = placesOf(root, root, 0, 0);
  const depth = Math.max(...places.map((place) => place.depth));
  const total = headHeight + (depth + 1) * height;
  const boxes = places.map((place) => boxOf(place, root, total - (place.depth + 1) * height)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${total}" font-family="Verdana, sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fffdf8"/>
<text x="8" y="20" font-size="15">${escaped(title)}</text>
${legend()}${boxes}</svg>
`;
}

function placesOf(frame: Frame, root: Frame, depth: number, from: number): Place[] {
  if (frame.total < root.total * minShare) return [];
  let next = from;
  const above = frame.children.flatMap((child) => {
    const places = placesOf(child, root, depth + 1, next);
    next += child.total / root.total;
    return places;
  });
  return [{ frame, depth, from }, ...above];
}

/** A picture of its own cuts off a text that is longer than its box. */
function boxOf({ frame, from }: Place, root: Frame, y: number): string {
  const { name, kind, file, group, total, self } = frame;
  const percent = (value: number): string => ((value / root.total) * 100).toFixed(2);
  const share = `${percent(total)} %, itself ${percent(self)} %`;
  const box = `x="${(from * width).toFixed(1)}" y="${y}" width="${((total / root.total) * width).toFixed(1)}"`;
  return (
    `<svg ${box} height="${height}"><title>${escaped(`${name}\n${file || group}\n${share}`)}</title>` +
    `<rect width="100%" height="${height - 1}" fill="${colours[kind]}" stroke="#fffdf8" stroke-width=".5"/>` +
    `<text x="3" y="12">${escaped(name)}</text></svg>\n`
  );
}

function legend(): string {
  return Object.entries(meaning)
    .map(([kind, text], n) => {
      const x = 8 + n * 150;
      const colour = colours[kind as Kind];
      return `<rect x="${x}" y="28" width="11" height="11" fill="${colour}"/><text x="${x + 16}" y="38">${text}</text>\n`;
    })
    .join('');
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (letter) => `&#${String(letter.charCodeAt(0))};`);
