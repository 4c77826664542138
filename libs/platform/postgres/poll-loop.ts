import type { PostgresServer } from './postgres-server.js';

const pollMs = 250;

/** Asks every server for its state four times a second. */
export class PollLoop {
  private readonly timers = new Map<PostgresServer, NodeJS.Timeout>();
  private readonly listeners = new Set<() => void>();
  private isStopped = true;

  constructor(
    private readonly servers: readonly PostgresServer[],
    /** Called after each answer of a server, before the listeners. */
    private readonly evaluate: () => Promise<void>,
  ) {}

  /** Resolves when each server was asked once. */
  async start(): Promise<void> {
    this.isStopped = false;
    await Promise.all(this.servers.map((server) => this.poll(server)));
  }

  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /** Tells the listeners, as after an answer of a server. */
  notify(): void {
    for (const listener of this.listeners) listener();
  }

  /** Calls `listener` whenever a server has been asked. Returns what ends that. */
  onPoll(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Waits until the condition is true after a poll, or until the time is over. */
  async waitUntil(condition: () => boolean, timeoutMs: number): Promise<void> {
    if (this.isStopped) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      const forget = this.onPoll(() => {
        if (condition()) done();
      });
    });
  }

  private async poll(server: PostgresServer): Promise<void> {
    await server.ask();
    if (this.isStopped) return;
    await this.evaluate();
    this.notify();
    const timer = setTimeout(() => void this.poll(server), pollMs);
    this.timers.set(server, timer);
  }
}
