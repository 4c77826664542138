import type { Position } from '../positions/position.js';

/** Whose confirmation a commit needs, as `platform.commit_rule` has it. */
export interface CommitRule {
  /** Rises with each change. */
  readonly number: number;
  /** The value of `synchronous_standby_names` that it is for. */
  readonly standbyNames: string;
  readonly timeline: number;
  /** `cluster_name` of the primary. */
  readonly primary: string;
  /** The members of the rule before, one of which has to show this one. Empty: it counts. */
  readonly waitsFor: readonly string[];
}

/** The servers that may have confirmed a commit, each with the last timeline on which it was seen to write or to receive. */
export type Members = Readonly<Record<string, number>>;

/** The last commit by which the primary showed that it is one. */
export interface Heartbeat {
  readonly timeline: number;
  readonly ageMs: number;
  /** For how long a heartbeat is known to be confirmed on this timeline; null: it is not. */
  readonly confirmedMs: number | null;
  /**
   * It was committed since the last start of the server, after which commits may show that nobody has confirmed. Null: the role may not
   * see when that was.
   */
  readonly isSinceStart: boolean | null;
}

/** What a server answered at the last poll. */
export interface ServerState {
  readonly isStandby: boolean;
  /** The server has reached at least this position. */
  readonly position: Position;
  /** Which server answered: an address may stand for several, one after the other or at the same time. */
  readonly identity: string;
  /** How many leases of other processes stand, as this server knows them. */
  readonly leases: number;
  /** The id of the database was given where it is now: it was not copied from elsewhere since. */
  readonly isIdentified: boolean;
  /** `cluster_name` in lower case. */
  readonly name: string;
  readonly standbyNames: string;
  /** The timeline on which a standby receives WAL; null: it receives none, or we may not see that. */
  readonly receives: number | null;
  readonly rule: CommitRule | null;
  /** Empty where the servers that confirm commits can't be counted. */
  readonly members: Members;
  readonly heartbeat: Heartbeat | null;
  /** A commit that `position` is past has waited for a standby for so long that its write intents may be gone. */
  readonly isCommitWaiting: boolean;
  /** When the poll was sent, by the monotonic clock. */
  readonly askedAt: number;
  /** How far the clock of the server is ahead of the monotonic clock, in milliseconds: that much at the least. */
  readonly clockAheadMs: number;
}

/** What a member says where there may be no primary. LSNs are 16 hex digits. */
export interface MemberRow {
  readonly standby: boolean;
  readonly name: string;
  readonly identity: string;
  /** What it has on disk; null: it has not asked for WAL since its start, and may have more. */
  readonly received: string | null;
  readonly replayed: string | null;
  /** It has replayed all whole records that it has, and waits for more. */
  readonly waiting: boolean;
  readonly retryMs: number;
  /** It received from a primary and was promoted since its last start; null: not so. */
  readonly promoted: Promoted | null;
}

/** A server that was promoted. `replayed` is the end of what it has of the timeline before. */
export interface Promoted {
  readonly timeline: number;
  /** What it has on disk. */
  readonly written: string;
}

/** What it shows. */
export interface MemberData {
  readonly database: string;
  readonly timeline: number;
  readonly members: Members | null;
  /** Number and timeline of the rule; null: there is none. */
  readonly ruleNumber: number | null;
  readonly ruleTimeline: number | null;
}

/** What a server answered to the question of `MemberReads`. */
export interface MemberAnswer extends MemberRow, MemberData {
  readonly askedAt: number;
}
