import { setTimeout as sleep } from 'node:timers/promises';
import { timelineOf } from '../positions/position.js';
import { acknowledgement, type CommitSettings } from './commit-rule.js';
import { DatabaseUnavailable } from './database-unavailable.js';
import type { ServerState } from './server-state.js';

/** How long a commit that is there waits for its acknowledgement, and how often it asks for it. */
const waitMs = 3000;
const pollMs = 50;

/** What is needed of the server on which the commit is. */
interface Primary {
  readonly state: ServerState | null;
  ask(): Promise<void>;
  readonly connected: { get(): Promise<ReadonlySet<string>> };
}

/**
 * Whether a commit may be acknowledged, after its answer. Null: it may. Where the settings have just changed, it takes until one of the
 * members of before shows that: then it has the commit, too, which came earlier.
 *
 * @throws DatabaseUnavailable where that can't be told
 */
export function acknowledge(
  primary: Primary,
  settings: CommitSettings,
  isPromotionAutomatic: boolean,
): Promise<void> | null {
  const { state } = primary;
  const isSure = state !== null && acknowledgement(state, settings, isPromotionAutomatic) === 'yes';
  return isSure ? null : untilAcknowledged(primary, settings, isPromotionAutomatic);
}

async function untilAcknowledged(
  primary: Primary,
  settings: CommitSettings,
  isPromotionAutomatic: boolean,
): Promise<void> {
  const end = performance.now() + waitMs;
  do {
    const { state } = primary;
    const answer = state === null ? 'no' : acknowledgement(state, settings, isPromotionAutomatic);
    if (answer === 'yes') return;
    if (answer === 'unknown members' && state !== null) {
      if (await isNoneConnected(primary, state)) return;
      break;
    }
    await sleep(pollMs);
    await primary.ask();
  } while (performance.now() < end);
  throw new DatabaseUnavailable(new Error('It is not known which standbys confirmed the write.'));
}

/** Of the members that were not seen on this timeline. One that is further on in an earlier one confirms what it does not have. */
async function isNoneConnected(primary: Primary, { members, position }: ServerState): Promise<boolean> {
  const unknown = Object.keys(members).filter((name) => members[name] !== timelineOf(position));
  const connected = await primary.connected.get();
  return !unknown.some((name) => connected.has(name));
}
