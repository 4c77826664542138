import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../support/api.js';
import { client, type Client } from '../../support/client.js';

/** One API process, which always comes back at the same address. */
export class ApiProcess {
  readonly name: string;
  readonly client: Client;
  private readonly startAgain: () => Promise<Api>;
  private api: Api;
  private isStopped = false;

  private constructor(name: string, api: Api, startAgain: () => Promise<Api>) {
    this.name = name;
    this.api = api;
    this.startAgain = startAgain;
    this.client = client(api.url);
  }

  /** Every restart calls `start` with the ports of the first start. */
  static async start(
    name: string,
    start: (ports?: { readonly port: number; readonly opsPort: number }) => Promise<Api>,
  ): Promise<ApiProcess> {
    const api = await start();
    const [port, opsPort] = [api.url, api.opsUrl].map((url) => Number(new URL(url).port));
    return new ApiProcess(name, api, () => start({ port: port ?? 0, opsPort: opsPort ?? 0 }));
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

  async restart(): Promise<void> {
    this.api = await this.startAgain();
  }

  async stop(): Promise<void> {
    this.thaw();
    this.client.close();
    await this.api.kill();
  }
}
