import type { EntityManager } from 'typeorm';
import type { Outbox } from '../events/outbox.js';

/** A row that a sweep deleted, as its statement returns it. */
export type SweptRow = Readonly<Record<string, unknown>>;

/** Expired rows of a feature, to be deleted. */
export interface SweepTask {
  /** What is swept; with the name of the feature before it, it is a label of metrics, such as `tasks.trash`. */
  readonly name: string;
  /** Deletes at most `$1` rows. Where `affected` is given, those of the users `$2`. */
  readonly statement: string;
  /** Finds the users, as `user_id`, whose view the deletion of the next `$1` rows changes. */
  readonly affected?: string;
  /** Publishes the deletion of the rows, which the statement must return (`RETURNING`), in its transaction. */
  readonly publish?: (outbox: Outbox, manager: EntityManager, rows: readonly SweptRow[]) => Promise<void>;
}

/** Rows of a feature that are to be stored anew, while it is in use: a later release keeps more of them, or something else. */
export interface FillTask {
  /** As of `SweepTask`. */
  readonly name: string;
  /** Finds the users, as `user_id`, of the next `$1` rows; none if there is nothing to do. */
  readonly affected: string;
  /** Stores at most `limit` rows of the users. Returns how many. A row that others change meanwhile may be left for the next call. */
  readonly fill: (manager: EntityManager, users: readonly string[], limit: number) => Promise<number>;
}

/** Failed events stay for a month, for inspection. */
export const outboxSweep = (schema: string): SweepTask => ({
  name: 'outbox',
  statement: `
    DELETE FROM ${schema}.outbox WHERE id IN (
      SELECT id FROM ${schema}.outbox WHERE failed_at < now() - interval '30 days' LIMIT $1)`,
});

/** Done events stay for a week, so that none is stored twice; those that were set aside for a month, for inspection. */
export const inboxSweeps = (schema: string): readonly SweepTask[] => [
  inboxSweep(schema, 'inbox', "done_at < now() - interval '7 days'"),
  inboxSweep(schema, 'inbox_failed', "failed_at < now() - interval '30 days'"),
];

const inboxSweep = (schema: string, name: string, condition: string): SweepTask => ({
  name,
  statement: `
    DELETE FROM ${schema}.inbox WHERE (consumer, event_id) IN (
      SELECT consumer, event_id FROM ${schema}.inbox WHERE ${condition} LIMIT $1)`,
});

/** A key works for 24 hours. */
export const idempotencySweep = (schema: string): SweepTask => ({
  name: 'idempotency_keys',
  statement: `
    DELETE FROM ${schema}.idempotency_keys WHERE (user_id, key) IN (
      SELECT user_id, key FROM ${schema}.idempotency_keys WHERE created_at < now() - interval '24 hours'
      ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
});

/** Leases of processes that ended without releasing theirs. */
export const leaseSweep: SweepTask = {
  name: 'leases',
  statement: `
    DELETE FROM platform.leases WHERE holder IN (
      SELECT holder FROM platform.leases WHERE expires_at < now() - interval '1 hour' LIMIT $1)`,
};
