export interface PostgresNode {
  /** `primary`, `replica1` and so on: what it was at the start. */
  readonly name: string;
  readonly port: number;
  /** The database `postgres` as a superuser. */
  readonly adminUrl: string;
  /** Any database, as the same user. */
  url(database: string): string;
  /** Ends all its processes as a loss of power would, and waits until they are gone. */
  kill(): Promise<void>;
  /** Starts it again as what it was, and waits until it takes connections. */
  start(): Promise<void>;
  /** It answers nothing any more, but keeps its connections and takes new ones: as if hung. */
  pause(): void;
  resume(): void;
  /** It receives, but shows nothing new. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** It shows what was committed only so long afterwards. */
  setApplyDelay(ms: number): Promise<void>;
  /** Makes it a primary, and waits until it takes writes. */
  promote(): Promise<void>;
  /**
   * Makes it a standby of that node, and waits until it streams. It is started if it is down, and its replay goes on
   * if paused. If it holds what the other never had (as an old primary may), it is cloned anew.
   */
  follow(upstream: PostgresNode): Promise<void>;
}
