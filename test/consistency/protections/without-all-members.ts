import type { ReadPoint } from '../../../libs/platform/postgres/member-reads.js';
import { PostgresServers } from '../../../libs/platform/postgres/postgres-servers.js';

/** Reads without a primary go to the first standby that answers, whatever the others have. */
export class ServersWithoutAllMembers extends PostgresServers {
  override withoutPrimary(): Promise<ReadPoint | null> {
    const server = this.leastBusy(null, () => true);
    const position = server?.state?.position;
    return Promise.resolve(
      server === null || position === undefined ? null : { position, servers: [server], promoted: null },
    );
  }
}
