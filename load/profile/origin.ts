/** Of the inspector protocol: https://chromedevtools.github.io/devtools-protocol/v8/Runtime/#type-CallFrame */
export interface CallFrame {
  readonly functionName: string;
  readonly scriptId: string;
  readonly url: string;
}

export type Kind = 'ours' | 'package' | 'node' | 'collection' | 'native';

/** Where a function comes from. */
export interface Origin {
  readonly kind: Kind;
  /** What the table sums up: a folder of ours, a package, or a part of Node. */
  readonly group: string;
  /** The file, for ours that of the source; empty if there is none. */
  readonly file: string;
}

/** The folders of ours that are told apart: `libs/platform/http`, but `libs/tasks` as a whole. */
const ownFolder = /^(libs\/platform\/[^/]+|[^/]+\/[^/]+)\//;

/** @param root the address of the checkout, `file:///…/` */
export function originOf({ functionName, scriptId, url }: CallFrame, root: string): Origin {
  if (functionName === '(garbage collector)')
    return { kind: 'collection', group: 'garbage collection', file: '' };
  if (url.startsWith('node:')) return { kind: 'node', group: "Node's own modules", file: url };
  const [, name, rest] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(url) ?? [];
  if (name !== undefined) return { kind: 'package', group: name, file: `${name}/${rest ?? ''}` };
  if (url.startsWith(root)) return ours(url.slice(root.length));
  // Functions that a library compiles at run time belong to a script without an address.
  const group = scriptId === '0' ? 'native code' : 'code compiled at run time';
  return { kind: 'native', group, file: url };
}

/** The build has a file for each source file. */
function ours(path: string): Origin {
  const file = path.startsWith('dist/') ? path.slice('dist/'.length).replace(/\.js$/, '.ts') : path;
  const [, folder = file] = ownFolder.exec(file) ?? [];
  return { kind: 'ours', group: folder, file };
}
