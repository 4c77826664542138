import { logger } from '../logging/logger.js';
import type { PostgresServers } from '../postgres/postgres-servers.js';

const renewMs = 500;
const lifeSeconds = 3;
/** All processes look at the leases more often than this, or trust nothing. */
export const noticeMs = 1000;
/** Longest since the last renewal for which the lease surely stands. */
const surelyStandsMs = 2500;

const renewSql = `
  INSERT INTO platform.leases (holder, expires_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
  ON CONFLICT ON CONSTRAINT pk_leases DO UPDATE SET expires_at = excluded.expires_at`;

/**
 * While it stands, every other process behaves as if there were no Redis. So a process that writes without telling them
 * holds it, and writes nothing before they have all noticed.
 */
export class Lease {
  private timer: NodeJS.Timeout | undefined;
  isHeld = false;
  private isStopped = false;
  private takenAt: number | null = null;
  private renewedAt = -Infinity;
  private takenFrom: string | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly servers: PostgresServers,
    private readonly processId: string,
  ) {}

  /** Takes it and goes on renewing it. */
  hold(): void {
    if (this.isHeld || this.isStopped) return;
    this.isHeld = true;
    this.running = this.running.then(() => this.renew());
  }

  /** Lets go of it, if no other reason to hold it has come up. */
  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    clearTimeout(this.timer);
    this.takenAt = null;
    this.renewedAt = -Infinity;
    this.running = this.running.then(async () => {
      if (this.isHeld) return;
      // A renewal that was under way has set it again.
      this.takenAt = null;
      // Else it ends by itself.
      await this.servers.primary
        ?.askOn('DELETE FROM platform.leases WHERE holder = $1', [this.processId])
        .catch(() => undefined);
    });
  }

  /** Whether every other process knows of it. */
  isEffective(now = performance.now()): boolean {
    return this.takenAt !== null && now - this.takenAt >= noticeMs && now - this.renewedAt < surelyStandsMs;
  }

  /** Resolves to whether it got effective within the time. */
  async untilEffective(timeoutMs: number): Promise<boolean> {
    this.hold();
    const deadline = performance.now() + timeoutMs;
    while (!this.isEffective()) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await new Promise((resolve) => setTimeout(resolve, Math.min(50, leftMs)));
    }
    return true;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.release();
    await this.running;
  }

  private async renew(): Promise<void> {
    if (!this.isHeld) return;
    const { primary } = this.servers;
    const identity = primary?.state?.identity ?? null;
    const startedAt = performance.now();
    try {
      if (primary === null || identity === null) throw new Error('there is no primary');
      // Whoever starts again, after a gap or on another primary, has to be noticed anew.
      const isGap = startedAt - this.renewedAt >= surelyStandsMs || identity !== this.takenFrom;
      if (isGap) this.takenAt = null;
      await primary.askOn(renewSql, [this.processId, lifeSeconds]);
      this.renewedAt = startedAt;
      this.takenFrom = identity;
      this.takenAt ??= performance.now();
    } catch (error) {
      logger.debug({ err: error }, 'the lease could not be renewed');
    }
    this.scheduleRenewal();
  }

  private scheduleRenewal(): void {
    clearTimeout(this.timer);
    if (!this.isHeld) return;
    this.timer = setTimeout(() => {
      this.running = this.running.then(() => this.renew());
    }, renewMs);
    this.timer.unref();
  }
}
