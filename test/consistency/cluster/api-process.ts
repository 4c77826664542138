import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from '../../support/api.js';
import { client, type Client } from '../../support/client.js';

/** One process of the API, which comes back at the same address whatever is done to it. */
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

  /** `start` is called again, with the ports of the first, at every restart. */
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

  /** As if the machine did not run it for a while. */
  freeze(): void {
    process.kill(this.api.pid, 'SIGSTOP');
    this.isStopped = true;
  }

  thaw(): void {
    if (!this.isStopped) return;
    this.isStopped = false;
    process.kill(this.api.pid, 'SIGCONT');
  }

  /** It kills itself at its next write, between COMMIT and the note of it. */
  failNextWrite(): void {
    process.kill(this.api.pid, 'SIGUSR2');
  }

  /** Waits for the end that `failNextWrite` brings; one that has nothing to write is killed. */
  async died(withinMs: number): Promise<void> {
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
