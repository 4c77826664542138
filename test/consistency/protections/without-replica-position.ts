import type { Position } from '../../../libs/platform/positions/position.js';
import type { PostgresServer } from '../../../libs/platform/postgres/postgres-server.js';
import { PostgresServers } from '../../../libs/platform/postgres/postgres-servers.js';

/** Reads from any standby, whatever it has replayed. */
export class ServersWithoutPositions extends PostgresServers {
  override replicaFor(_needed: Position, besides: PostgresServer | null): PostgresServer | null {
    return this.leastBusy(besides, () => true);
  }
}
