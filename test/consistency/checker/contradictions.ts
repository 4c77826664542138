import type { Operation } from './history.js';
import { stateOf, type Fact } from './statements.js';
import { violation, type Violation } from './violations.js';

/** Kinds of writes that each create a new version. */
const exclusiveKinds = new Set([
  ...['patch', 'delete', 'restore', 'profile.patch'],
  ...['members.join', 'members.leave', 'items.patch', 'items.move', 'items.delete'],
]);

/** Two acknowledged writes that created the same version: one of them was lost. */
export function rivals(key: string, facts: readonly Fact[]): readonly Violation[] {
  const writers = new Map<number, Operation>();
  return facts.flatMap(({ operation, statement }) => {
    if (statement.type !== 'wrote' || !statement.isAcknowledged || statement.rank === null) return [];
    if (!exclusiveKinds.has(operation.kind)) return [];
    const other = writers.get(statement.rank);
    writers.set(statement.rank, operation);
    if (other === undefined || effectOf(other) === effectOf(operation)) return [];
    const sentence = `${key}: two acknowledged writes made it ${stateOf(statement.rank)}`;
    return [violation('lost write', sentence, [other, operation])];
  });
}

/** All attempts of one effect count as one. */
export function effectOf({ group, id }: Operation): string | number {
  return group ?? id;
}

/** One version with two contents: the write of one of them was lost. */
export function contradictions(key: string, facts: readonly Fact[]): readonly Violation[] {
  const known = new Map<number, { readonly value: string; readonly operation: Operation }>();
  return facts.flatMap(({ operation, statement }) => {
    if (statement.type !== 'wrote' && statement.type !== 'saw') return [];
    const { rank, value } = statement;
    const isKnown = statement.type === 'saw' || statement.isAcknowledged;
    if (!isKnown || rank === null || value === undefined) return [];
    // A task in the trash keeps its version.
    const version = Math.floor(rank / 2);
    const other = known.get(version);
    if (other === undefined) known.set(version, { value, operation });
    if (other === undefined || other.value === value) return [];
    const sentence = `${key}: its version ${version} is both ${quote(other.value)} and ${quote(value)}`;
    return [violation('lost write', sentence, [other.operation, operation])];
  });
}

const quote = (value: string): string => JSON.stringify(value);
