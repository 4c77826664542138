import type { SweepTask } from '../platform/sweeper/sweep-task.js';

/** Ended sessions stay a week, for whoever investigates a theft of tokens. */
const isOver = "ends_at < now() - interval '7 days'";

export const authSweeps: readonly SweepTask[] = [
  {
    // A day longer than their tokens work.
    name: 'email_changes',
    statement: `
      DELETE FROM auth.email_changes WHERE account_id IN (
        SELECT account_id FROM auth.email_changes WHERE created_at < now() - interval '2 days' LIMIT $1)`,
  },
  {
    // Apart from their sessions: one of them may have thousands, which a cascade would delete all at once.
    name: 'used_refresh_tokens',
    statement: `
      DELETE FROM auth.used_refresh_tokens WHERE hash IN (
        SELECT used.hash FROM auth.sessions session
        JOIN auth.used_refresh_tokens used ON used.session_id = session.id WHERE session.${isOver} LIMIT $1)`,
  },
  {
    name: 'sessions',
    statement: `
      DELETE FROM auth.sessions WHERE id IN (
        SELECT id FROM auth.sessions session WHERE ${isOver} AND NOT EXISTS (
          SELECT 1 FROM auth.used_refresh_tokens used WHERE used.session_id = session.id) LIMIT $1)`,
  },
  {
    // A day longer than they work: they also count the mails of the last hour and tell which events are done.
    name: 'mail_tokens',
    statement: `
      DELETE FROM auth.mail_tokens WHERE event_id IN (
        SELECT event_id FROM auth.mail_tokens WHERE expires_at < now() - interval '1 day' LIMIT $1)`,
  },
];
