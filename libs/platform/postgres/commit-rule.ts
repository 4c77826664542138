import { timelineOf } from '../positions/position.js';
import type { ServerState } from './server-state.js';
import { parseStandbyNames } from './standby-names.js';

/** A heartbeat is evidence for this long, and nobody acknowledges a commit on a new timeline before. */
export const evidenceMs = 1000;

/** The rule of the primary is the one for its settings and its timeline, and it counts. */
export const isInForce = ({ rule, standbyNames, position }: ServerState): boolean =>
  rule !== null &&
  rule.waitsFor.length === 0 &&
  rule.standbyNames === standbyNames &&
  rule.timeline === timelineOf(position);

export const hasMembers = ({ members }: Pick<ServerState, 'members'>): boolean =>
  Object.keys(members).length > 0;

/**
 * The members where these standbys confirm commits: they and the primary. Null where they can't be counted: none has to, they
 * are not named, or so few have to that two primaries could find enough of them at the same time.
 */
export function membersOf(standbyNames: string, primary: string): readonly string[] | null {
  const confirmations = parseStandbyNames(standbyNames);
  if (confirmations === null || primary === '') return null;
  const all = [...new Set([...confirmations.names, primary])];
  return confirmations.count >= Math.floor(all.length / 2) ? all : null;
}

/** What the server said right after a commit. */
export interface CommitSettings {
  readonly standbyNames: string;
  /** `synchronous_commit` of the session. */
  readonly level: string;
  /** Number of the rule that was written then; null: there was none. */
  readonly rule: number | null;
}

/**
 * Whether a commit may be acknowledged that the server has answered. `unknown members`: only where none of those is connected that was
 * not seen on this timeline, since a standby confirms by its position alone.
 */
export function acknowledgement(
  state: ServerState,
  { standbyNames, level, rule }: CommitSettings,
  isPromotionAutomatic: boolean,
): 'yes' | 'no' | 'unknown members' {
  // A later rule than the one at the commit will do: whoever shows that has the commit, too. An earlier one is known from before it.
  const isKnown = state.standbyNames === standbyNames && (state.rule?.number ?? 0) >= (rule ?? 0);
  if (!isInForce(state) || !isKnown) return 'no';
  if (!hasMembers(state)) return 'yes';
  if (level !== 'on' && level !== 'remote_apply') return 'no';
  const timeline = timelineOf(state.position);
  const isConfirmed =
    state.heartbeat?.timeline === timeline && (state.heartbeat.confirmedMs ?? 0) >= evidenceMs;
  if (isPromotionAutomatic && !isConfirmed) return 'no';
  return Object.values(state.members).every((seenOn) => seenOn === timeline) ? 'yes' : 'unknown members';
}

/**
 * Until when the server may be read as the primary, by the monotonic clock; -Infinity: not at all, as while commits show that nobody is
 * known to have confirmed. Where people promote, they have stopped the old primary, so that a commit must only have been confirmed
 * since the last start. Otherwise that must have been within the last second.
 */
export function readableUntil(state: ServerState, isPromotionAutomatic: boolean): number {
  const { heartbeat, position, askedAt } = state;
  if (!isInForce(state)) return -Infinity;
  if (!hasMembers(state)) return isPromotionAutomatic ? -Infinity : Infinity;
  if (heartbeat?.timeline !== timelineOf(position) || heartbeat.isSinceStart === false) return -Infinity;
  if (!isPromotionAutomatic) return Infinity;
  // A clock that was set back says nothing.
  const isKnown = heartbeat.ageMs >= 0 && heartbeat.isSinceStart === true;
  return isKnown ? askedAt + evidenceMs - heartbeat.ageMs : -Infinity;
}
