import { originOf, type CallFrame, type Origin } from './origin.js';

/** A `.cpuprofile`: each sample names the node that ran, and `timeDeltas` has the microseconds since the sample before. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** A `.heapprofile`, in bytes. */
export interface HeapProfile {
  readonly head: HeapNode;
}

interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

/** A function with the functions that it called. `self` and `total` are microseconds or bytes. */
export interface Frame extends Origin {
  readonly name: string;
  readonly self: number;
  readonly total: number;
  readonly children: readonly Frame[];
}

/** What a profile holds of a node, before calls of the same function are put together. */
interface Raw {
  readonly callFrame: CallFrame;
  readonly self: number;
  readonly children: readonly Raw[];
}

/** @param root the address of the checkout, `file:///…/` */
export function foldCpu({ nodes, samples, timeDeltas }: CpuProfile, root: string): Frame {
  const selfOf = new Map<number, number>();
  for (const [n, id] of samples.entries()) {
    // A sample lasts until the next one.
    selfOf.set(id, (selfOf.get(id) ?? 0) + (timeDeltas[n + 1] ?? 0));
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const rawOf = (id: number): Raw[] => {
    const node = byId.get(id);
    if (node === undefined || node.callFrame.functionName === '(idle)') return [];
    const { callFrame, children = [] } = node;
    return [{ callFrame, self: selfOf.get(id) ?? 0, children: children.flatMap(rawOf) }];
  };
  return fold(rawOf(nodes[0]?.id ?? 0), root);
}

export function foldHeap({ head }: HeapProfile, root: string): Frame {
  const rawOf = ({ callFrame, selfSize, children }: HeapNode): Raw => ({
    callFrame,
    self: selfSize,
    children: children.map(rawOf),
  });
  return fold([rawOf(head)], root);
}

/** V8 has a node for each version of a function that it compiled: those of one function become one. */
function fold(raw: readonly Raw[], root: string): Frame {
  const self = sum(raw.map((each) => each.self));
  const groups = Map.groupBy(
    raw.flatMap(({ children }) => children),
    ({ callFrame: { functionName, url } }) => `${functionName} ${url}`,
  );
  const children = [...groups.values()]
    .map((group) => fold(group, root))
    .filter(({ total }) => total > 0)
    .sort((one, other) => other.total - one.total);
  const callFrame = raw[0]?.callFrame ?? { functionName: '', scriptId: '0', url: '' };
  const total = self + sum(children.map((child) => child.total));
  return {
    name: callFrame.functionName || '(anonymous)',
    ...originOf(callFrame, root),
    self,
    total,
    children,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
