import { features } from '../features.js';

export function usage(): string {
  const seeds = features.flatMap(({ seed }) => (seed?.option ? [seed] : []));
  const options = seeds.map(({ option }) => `[--${option} N]`).join(' ');
  const lines = seeds.map(
    ({ option, help, defaultCount }) => `    --${option}: number of ${help} (default ${defaultCount})`,
  );
  return `Usage:
  seed ${options}
${lines.join('\n')}
  user show EMAIL
  user set-tier EMAIL free|premium  the user has to log in again
  user set-role EMAIL user|admin    the user has to log in again
  database renew-id                 after you restored a backup or snapshot, or cloned the data, in place: run it with the
                                    API stopped, or before it starts. What Redis and clients keep of the database from
                                    before (caches, last-write positions) is not used any more. It deletes nothing.
  database forget-standbys          after synchronous replicas are lost for good: writes are acknowledged by the settings
                                    that the primary has now. Never start those replicas again; clone them anew.
`;
}

/** A usage error: prints the message and the usage, exit code 64 (EX_USAGE). */
export class UsageError extends Error {}
