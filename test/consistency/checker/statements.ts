import type { Operation } from './history.js';

/**
 * Each thing that clients read and write (a task, a profile, a password, a session) is a register whose states are
 * numbered: version v is rank 2v while it is live and 2v + 1 while it is in the trash or revoked; 0 before it exists.
 * Ranks only rise.
 */
export type Statement =
  | {
      readonly type: 'wrote';
      readonly leadsTo: 'live' | 'dead';
      /** Null: unknown. */
      readonly rank: number | null;
      readonly isAcknowledged: boolean;
      readonly value?: string;
      readonly place?: string;
    }
  | {
      readonly type: 'saw';
      readonly rank: number;
      readonly value?: string;
      readonly place?: string;
      /** A later read may be older. */
      readonly isNoBound?: true;
    }
  /** It was not among the items of this list. */
  | { readonly type: 'saw-outside'; readonly place: string }
  | { readonly type: 'saw-live' }
  | { readonly type: 'saw-dead' }
  /** Saw it in a different state. */
  | { readonly type: 'saw-other'; readonly rank: number }
  /** Counted it if it was live. */
  | { readonly type: 'counted' };

export interface Fact {
  readonly operation: Operation;
  readonly key: string;
  readonly statement: Statement;
}

/** The statement of a write with or without a response; none if the write was refused. */
export function wrote(
  { outcome }: Operation,
  leadsTo: 'live' | 'dead',
  rank: number | null,
  { value, isCertain = true }: { readonly value?: string | undefined; readonly isCertain?: boolean } = {},
): readonly Statement[] {
  if (outcome === 'failed') return [];
  const isAcknowledged = outcome === 'ok' && isCertain;
  return [{ type: 'wrote', leadsTo, rank, isAcknowledged, ...(value !== undefined && { value }) }];
}

export const live = (version: number): number => 2 * version;
export const dead = (version: number): number => 2 * version + 1;
export const isLive = (rank: number): boolean => rank % 2 === 0;

export function stateOf(rank: number): string {
  if (rank === 0) return 'not there';
  return `at version ${Math.floor(rank / 2)}${isLive(rank) ? '' : ' and deleted'}`;
}
