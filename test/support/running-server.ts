export interface RunningServer {
  /** URL of the database `postgres` as a superuser. */
  readonly adminUrl: string;
  readonly port: number;
  /** Kills the server, as a power loss would, and waits until it has ended. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, and waits until it accepts connections. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}
