export interface PostgresNode {
  /** Its initial role: `primary`, `replica1` and so on. */
  readonly name: string;
  readonly port: number;
  /** URL of the database `postgres` as a superuser. */
  readonly adminUrl: string;
  /** URL of any database, as the same user. */
  url(database: string): string;
  /** Kills all its processes, as a power loss would, and waits until they have ended. */
  kill(): Promise<void>;
  /** Starts it again in its last role, and waits until it accepts connections. */
  start(): Promise<void>;
  /** Makes it hang: it stops answering, but keeps its connections and accepts new ones. */
  pause(): void;
  resume(): void;
  /** Pauses replay: it receives WAL, but new commits stay invisible. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** Delays replay: commits become visible this much later. */
  setApplyDelay(ms: number): Promise<void>;
  /** Promotes it, and waits until it accepts writes. */
  promote(): Promise<void>;
  /**
   * Makes it a standby of that node, and waits until it streams. It is started if it is down, and its replay is resumed if
   * paused. If it has commits that the other node does not have (as an old primary may), it is cloned again.
   */
  follow(upstream: PostgresNode): Promise<void>;
}
