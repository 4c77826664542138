export interface RunningServer {
  /** The database `postgres` as a superuser. */
  readonly adminUrl: string;
  readonly port: number;
  /** Ends the server as a loss of power would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, and waits until it takes connections. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}
