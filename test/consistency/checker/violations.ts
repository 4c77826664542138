import type { Operation } from './history.js';

export type ViolationKind =
  | 'lost write'
  | 'stale read'
  | 'read going backwards'
  | 'duplicated effect'
  | 'revoked token accepted'
  | 'removed member served'
  | 'broken answer';

export interface Violation {
  readonly kind: ViolationKind;
  readonly sentence: string;
  /** The operations that contradict each other, in the order of their ends. */
  readonly operations: readonly Operation[];
}

export function violation(
  kind: ViolationKind,
  sentence: string,
  operations: readonly (Operation | undefined)[],
): Violation {
  const given = operations.filter((operation) => operation !== undefined);
  return { kind, sentence, operations: given.sort((a, b) => a.completedAt - b.completedAt) };
}

/** `patch #12 by u1.a at p2 (old build), 1003..1010 ms`, with the faults in progress. */
export function describe(operation: Operation): string {
  const { kind, id, client, invokedAt, completedAt, status, faults, outcome } = operation;
  const time = `${invokedAt.toFixed(1)}..${completedAt.toFixed(1)} ms`;
  const during = faults.length === 0 ? '' : ` during ${faults.join(' and ')}`;
  const place = placeOf(operation);
  return `${kind} #${id} by ${client} at ${place}, ${time}: ${status ?? 'no answer'} (${outcome})${during}`;
}

const placeOf = ({ process, build }: Operation): string =>
  build === undefined ? process : `${process} (${build} build)`;

export function report({ kind, sentence, operations }: Violation): string {
  const lines = operations.map((operation) => `    ${describe(operation)}`);
  return [`${kind}: ${sentence}`, ...lines].join('\n');
}
