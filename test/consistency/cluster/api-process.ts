import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../support/api.js';
import { client, type Client } from '../../support/client.js';
import type { Build } from '../builds/build.js';

/** Starts a process of that build; null: of the only build of the run. */
export type StartOf = (build: Build | null, ports?: Ports) => Promise<Api>;

interface Ports {
  readonly port: number;
  readonly opsPort: number;
}

/** One API process, which always comes back at the same address. */
export class ApiProcess {
  readonly name: string;
  readonly client: Client;
  /** Whether it has the feature of that path. */
  readonly serves: (path: string) => boolean;
  private readonly startAgain: (build: Build | null) => Promise<Api>;
  private current: Build | null;
  private api: Api;
  private isStopped = false;

  private constructor(
    name: string,
    build: Build | null,
    api: Api,
    startAgain: (build: Build | null) => Promise<Api>,
    serves: (path: string) => boolean,
  ) {
    this.serves = serves;
    this.name = name;
    this.current = build;
    this.api = api;
    this.startAgain = startAgain;
    this.client = client(api.url);
  }

  /** Every restart calls `start` with the ports of the first start. */
  static async start(
    name: string,
    build: Build | null,
    start: StartOf,
    serves: (path: string) => boolean,
  ): Promise<ApiProcess> {
    const api = await start(build);
    const [port, opsPort] = [api.url, api.opsUrl].map((url) => Number(new URL(url).port));
    const ports = { port: port ?? 0, opsPort: opsPort ?? 0 };
    return new ApiProcess(name, build, api, (next) => start(next, ports), serves);
  }

  /** The build that it runs; null: the only one of the run. */
  get build(): Build | null {
    return this.current;
  }

  get url(): string {
    return this.api.url;
  }

  get opsUrl(): string {
    return this.api.opsUrl;
  }

  logs(): string {
    return this.api.logs();
  }

  /** Stops it for a while, as if the machine did not schedule it. */
  freeze(): void {
    process.kill(this.api.pid, 'SIGSTOP');
    this.isStopped = true;
  }

  thaw(): void {
    if (!this.isStopped) return;
    this.isStopped = false;
    process.kill(this.api.pid, 'SIGCONT');
  }

  /** It crashes in its next write, after COMMIT and before the last-write position is stored. */
  crashInNextWrite(): void {
    process.kill(this.api.pid, 'SIGUSR2');
  }

  /** Waits for the end after `crashInNextWrite`. A process without any writes is killed. */
  async crashed(withinMs: number): Promise<void> {
    const ended = this.api.exited().then(() => true);
    if (!(await Promise.race([ended, sleep(withinMs, false)]))) await this.api.kill();
  }

  async kill(): Promise<void> {
    await this.api.kill();
    this.isStopped = false;
  }

  /** Ends it as a deployment does: it first answers the requests that it has. */
  async end(): Promise<void> {
    await this.api.stop('SIGTERM');
  }

  /** After its end: starts it again, from the same build or another one. */
  async restart(build = this.current): Promise<void> {
    this.current = build;
    this.api = await this.startAgain(build);
  }

  async stop(): Promise<void> {
    this.thaw();
    this.client.close();
    await this.api.kill();
  }
}
