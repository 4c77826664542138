import { serverPorts } from '../../support/ports.js';
import { startReplicatedPostgres } from '../../support/replicated-postgres.js';
import { Databases } from '../cluster/databases.js';
import { startSharedRedis, throughPort, startingTogether, type Stores } from '../cluster/stores.js';

/** The parts of the features; each has a database of its own. */
export const parts = ['accounts', 'tasks'] as const;

/** Processes take turns: the first one has accounts, the second one tasks, and so on. */
export const partOf = (process: number): (typeof parts)[number] => parts[process % 2] ?? 'tasks';

/** Two databases with two replicas each, and one Redis that all processes share. Commits wait for a replica. */
export function startSplitStores({ processes }: { readonly processes: number }): Promise<Stores> {
  return startingTogether(async (started, stop) => {
    const databases: Databases[] = [];
    for (const part of parts) {
      const servers = await started(startReplicatedPostgres({ replicas: 2, synchronous: true }));
      databases.push(await Databases.create(servers, part));
    }
    const redis = await startSharedRedis(processes, started);
    const ownerPorts = await serverPorts(processes);
    const ownerUrls = ownerPorts
      .filter((_, n) => partOf(n) === 'accounts')
      .map((port) => `http://127.0.0.1:${port}`);
    const databaseOf = (feature: string): Databases => {
      const found = databases[feature === 'tasks' ? 1 : 0];
      if (found === undefined) throw new Error(`There is no database of ${feature}.`);
      return found;
    };
    return {
      environment: (process) => {
        const own = databaseOf(partOf(process));
        return {
          DATABASE_URL: own.anyUrl,
          DATABASE_REPLICA_URLS: own.replicas.map((node) => own.urlOf(node)).join(','),
          REDIS_URL: throughPort(redis.server.url, redis.paths[process]?.port ?? 0),
          TEST_PART: partOf(process),
          TEST_OWNER_PORT: String(ownerPorts[process]),
          TEST_OWNER_URLS: ownerUrls.join(','),
        };
      },
      serves: (process, path) => (partOf(process) === 'tasks') === path.startsWith('/v1/tasks'),
      primaryUrl: (feature) => databaseOf(feature).urlOf(databaseOf(feature).primary),
      databases,
      redis,
      renew: async () => {
        for (const each of databases) await each.renew();
        await redis.server.command('FLUSHALL');
      },
      stop,
    };
  });
}
