import { Batched } from '../async/batched.js';
import { outsideOfCalls } from '../context/call-context.js';
import { timelineOf, type Position } from '../positions/position.js';
import type { PostgresServer } from './postgres-server.js';
import type { MemberAnswer } from './server-state.js';

/** A standby that asks for WAL less often could take longer for it than a read may wait. */
const maxRetryMs = 300;

/** A place at which a member was seen waiting for WAL. */
export interface Look {
  readonly identity: string;
  readonly received: string | null;
  readonly replayed: string | null;
  /** When its first answer from there had come. */
  readonly since: number;
  /** It was seen there again, so much later that it has asked for WAL in between: it has no whole record that it has not replayed. */
  readonly isEnd: boolean;
}

/** An answer that came after the question of a read. */
export interface Asked<S> {
  readonly server: S;
  readonly answer: MemberAnswer;
  readonly look: Look | null;
}

/** Where a read may go without a primary: these servers show everything that was acknowledged before they were asked. */
export interface ReadPoint<S = PostgresServer> {
  readonly position: Position;
  readonly servers: readonly S[];
  /** The one of them that is no standby any more. */
  readonly promoted: S | null;
}

/**
 * The servers that a read may go to where no primary can be asked, see ADR 22. Null where not all that may have confirmed a commit
 * were asked. One may be silent, as a primary that is gone: a commit is confirmed by so many that others of them have it.
 */
export function readPointOf<S>(asked: readonly Asked<S>[]): ReadPoint<S> | null {
  const able = withOwnName(asked.filter(isCaughtUp)).sort((a, b) =>
    compare(progressOf(b.answer), progressOf(a.answer)),
  );
  // Also where it is no member itself: it has the last list.
  const [furthest] = able;
  if (furthest === undefined) return null;
  const { database, members } = furthest.answer;
  const all = Object.keys(members ?? {});
  if (all.length === 0) return null;
  const present = able.filter(({ answer }) => answer.database === database && all.includes(answer.name));
  if (all.length - present.length > 1) return null;
  const [best] = present;
  if (best === undefined || isContested(able)) return null;
  const progress = progressOf(best.answer);
  const equals = present.filter(({ answer }) => progressOf(answer) === progress);
  return {
    position: database + progress,
    servers: equals.map(({ server }) => server),
    promoted: equals.find(({ answer }) => answer.promoted !== null)?.server ?? null,
  };
}

/**
 * A member that has replayed all that it has received. The end of that may lie inside of a record for good, whose rest is lost: then it
 * waits there. After a restart it may have more on disk than it says.
 */
function isCaughtUp<S>({ answer, look }: Asked<S>): boolean {
  const { standby, received, replayed, promoted } = answer;
  if (promoted !== null) return true;
  if (!standby || received === null || replayed === null) return false;
  return replayed >= received || look?.isEnd === true;
}

/**
 * One was promoted, and it is not certain that all others are on the way to follow it: as long as all show the rule of the timeline before,
 * nobody acknowledges anything by another one, nothing of users is written to the promoted one, and the members are those of that rule.
 * What one has of the timeline before beyond its end may have been confirmed for an old primary that goes on.
 */
function isContested<S>(able: readonly Asked<S>[]): boolean {
  const answers = able.map(({ answer }) => answer);
  const [first, second] = answers.filter(({ promoted }) => promoted !== null);
  if (first === undefined) return false;
  const { promoted, replayed, ruleNumber, ruleTimeline } = first;
  const newest = promoted?.timeline ?? 0;
  if (second !== undefined || ruleTimeline === null || ruleTimeline >= newest) return true;
  return answers.some((each) => {
    const isOfSameRule = each.ruleNumber === ruleNumber && each.ruleTimeline === ruleTimeline;
    const isAhead = timelineIn(each) < newest && (each.replayed ?? '') > (replayed ?? '');
    return !isOfSameRule || timelineIn(each) > newest || isAhead;
  });
}

/** One answer of each server: several addresses may lead to it. A name that two servers have tells neither. */
function withOwnName<S>(asked: readonly Asked<S>[]): Asked<S>[] {
  const byName = new Map<string, Asked<S> | null>();
  for (const each of asked) {
    const { name, identity } = each.answer;
    const other = byName.get(name);
    if (name === '' || other === null) continue;
    byName.set(name, other === undefined || other.answer.identity === identity ? each : null);
  }
  return [...byName.values()].filter((each) => each !== null);
}

const timelineIn = ({ timeline, promoted }: MemberAnswer): number => promoted?.timeline ?? timeline;

const progressOf = (answer: MemberAnswer): string =>
  timelineIn(answer).toString(16).padStart(8, '0') + (answer.promoted?.written ?? answer.replayed ?? '');

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** What is known of the place after this answer, which came `now`. Null: the server was not seen waiting there. */
export function lookAfter(before: Look | null, answer: MemberAnswer, now: number): Look | null {
  const { identity, received, replayed, waiting, retryMs, askedAt } = answer;
  const isSame =
    before?.identity === identity && before.received === received && before.replayed === replayed;
  if (!isSame) return waiting ? { identity, received, replayed, since: now, isEnd: false } : null;
  if (before.isEnd) return before;
  const isEnd = waiting && retryMs <= maxRetryMs && askedAt - before.since > retryMs;
  return { ...before, isEnd };
}

/** Asks the servers, for all reads that have come meanwhile together. */
export class MemberReads {
  private readonly looks = new Map<PostgresServer, Look>();
  private readonly underWay = new Set<PostgresServer>();
  private readonly rounds = new Batched(() => outsideOfCalls(() => this.round()));

  private readonly known = new WeakMap<object, Promise<ReadPoint | null>>();

  constructor(
    private readonly servers: readonly PostgresServer[],
    /** The newest timeline that is known: what is on an earlier one has been replaced. */
    private readonly newestTimeline: () => number,
  ) {}

  /**
   * For the reads of a call: the servers are asked once, and anew where that gave nothing (`isAnew`: it turned out to), or the call has
   * written since.
   */
  of(view: { readonly written: readonly Position[] }, isAnew: boolean): Promise<ReadPoint | null> {
    const known = view.written.length > 0 || isAnew ? undefined : this.known.get(view);
    if (known !== undefined) return known;
    const asking = this.get().then((point) => {
      // What was promoted counts for a moment only.
      if (point === null || point.promoted !== null) this.known.delete(view);
      return point;
    });
    this.known.set(view, asking);
    return asking;
  }

  /** Where a read may go that begins after this, by answers to questions after this. Null within a second where it may go nowhere. */
  async get(): Promise<ReadPoint | null> {
    const point = await this.rounds.get();
    return point !== null && timelineOf(point.position) < this.newestTimeline() ? null : point;
  }

  /** Ends as soon as enough servers have answered. One that owes an answer to an earlier round is not asked again. */
  private round(): Promise<ReadPoint | null> {
    const asked: Asked<PostgresServer>[] = [];
    return new Promise((resolve) => {
      const looks = this.servers
        .filter((server) => !server.isShared && !this.underWay.has(server))
        .map(async (server) => {
          const one = await this.look(server);
          if (one === null) return;
          asked.push(one);
          const point = readPointOf(asked);
          if (point !== null) resolve(point);
        });
      void Promise.all(looks).then(() => resolve(readPointOf(asked)));
    });
  }

  private async look(server: PostgresServer): Promise<Asked<PostgresServer> | null> {
    this.underWay.add(server);
    try {
      const answer = await server.look();
      const look = lookAfter(this.looks.get(server) ?? null, answer, performance.now());
      if (look === null) this.looks.delete(server);
      else this.looks.set(server, look);
      return { server, answer, look };
    } catch {
      return null;
    } finally {
      this.underWay.delete(server);
    }
  }
}
