import type { EntityManager } from 'typeorm';
import { outsideOfCalls } from '../context/call-context.js';
import { logger } from '../logging/logger.js';
import { leaseLock } from '../postgres/probe-sql.js';
import type { PostgresServer } from '../postgres/postgres-server.js';

const renewMs = 500;
const lifeSeconds = 3;
const pollMs = 50;
/** All processes look at the leases more often than this; one that could not uses no caches. */
export const noticeMs = 1000;
/** The lease is certainly valid for this long after a renewal was sent. */
const surelyStandsMs = 2500;

const renewSql = `
  INSERT INTO platform.leases (holder, expires_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
  ON CONFLICT ON CONSTRAINT pk_leases DO UPDATE SET expires_at = excluded.expires_at`;

/**
 * The lock is taken before the clock is read. It stands until the transaction has ended, however long its COMMIT takes, and
 * for the processes that look at the leases it counts as the lease itself.
 */
const confirmSql = `
  SELECT pg_advisory_xact_lock_shared(${leaseLock}, hashtext(holder::text)),
    expires_at > clock_timestamp() AS "isValid"
  FROM platform.leases WHERE holder = $1`;

/** What a lease needs of the servers of the database. */
export interface LeaseServers {
  readonly primary: Pick<PostgresServer, 'state' | 'writeOn'> | null;
}

/**
 * A row in the primary. While it is valid, every other process behaves as if there were no Redis. A process that writes
 * without write intents holds it, and begins no write before all others have noticed.
 */
export class Lease {
  isHeld = false;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private takenAt: number | null = null;
  private renewedAt = -Infinity;
  private takenFrom: string | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly servers: LeaseServers,
    private readonly processId: string,
  ) {}

  /** Takes the lease, and renews it until `release`. */
  hold(): void {
    if (this.isHeld || this.isStopped) return;
    this.isHeld = true;
    outsideOfCalls(() => this.enqueue(() => this.renew()));
  }

  /** Releases the lease, unless it is taken again before that is done. */
  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    clearTimeout(this.timer);
    this.takenAt = null;
    this.renewedAt = -Infinity;
    this.enqueue(() => this.delete());
  }

  /** Whether every other process has noticed it, and none counts it as expired. */
  isEffective(now = performance.now()): boolean {
    return this.takenAt !== null && now - this.takenAt >= noticeMs && now - this.renewedAt < surelyStandsMs;
  }

  /**
   * Within a transaction that is about to commit: makes the lease stand until that has ended. This process may be stopped
   * just before it sends COMMIT, or while COMMIT waits for a standby, for longer than its lease.
   *
   * @returns false where the lease has ended: others may use caches again
   */
  async confirm(manager: EntityManager): Promise<boolean> {
    const [row] = await manager.query<{ isValid: boolean }[]>(confirmSql, [this.processId]);
    return row?.isValid === true;
  }

  /** Takes the lease. Resolves to whether it was effective within the time. */
  async untilEffective(timeoutMs: number): Promise<boolean> {
    this.hold();
    const end = performance.now() + timeoutMs;
    while (!this.isEffective()) {
      const leftMs = end - performance.now();
      if (leftMs <= 0) return false;
      await new Promise((resolve) => setTimeout(resolve, Math.min(pollMs, leftMs)));
    }
    return true;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.release();
    await this.running;
  }

  /** One statement after the other: a renewal must not overtake the end of the lease. */
  private enqueue(work: () => Promise<void>): void {
    this.running = this.running.then(work);
  }

  private async renew(): Promise<void> {
    if (!this.isHeld) return;
    const { primary } = this.servers;
    const identity = primary?.state?.identity ?? null;
    const startedAt = performance.now();
    try {
      if (primary === null || identity === null) throw new Error('there is no primary');
      if (identity !== this.takenFrom) this.takenAt = null;
      await primary.writeOn(renewSql, [this.processId, lifeSeconds]);
      // It may have ended before this renewal took effect: then the others have to notice it again.
      if (performance.now() - this.renewedAt >= surelyStandsMs) this.takenAt = null;
      this.renewedAt = startedAt;
      this.takenFrom = identity;
      this.takenAt ??= performance.now();
    } catch (error) {
      logger.debug({ err: error }, 'the lease could not be renewed');
    }
    this.scheduleRenewal();
  }

  private async delete(): Promise<void> {
    if (this.isHeld) return;
    // A renewal that was under way has set it again.
    this.takenAt = null;
    // Where this fails, the lease expires.
    await this.servers.primary
      ?.writeOn('DELETE FROM platform.leases WHERE holder = $1', [this.processId])
      .catch(() => undefined);
  }

  private scheduleRenewal(): void {
    clearTimeout(this.timer);
    if (!this.isHeld) return;
    this.timer = setTimeout(() => this.enqueue(() => this.renew()), renewMs);
    this.timer.unref();
  }
}
