import type { ApiProcess } from '../cluster/api-process.js';
import type { SharedRedis } from '../cluster/stores.js';
import { instantly, type Fault } from './nemesis.js';

const nothing = (): Promise<void> => Promise.resolve();

/** Faults of Redis itself, for all processes. */
export function redisFaults(redis: SharedRedis, processes: readonly ApiProcess[]): readonly Fault[] {
  const { server } = redis;
  const common = { weight: 1, touches: ['redis'] };
  return [
    {
      ...common,
      name: 'kill Redis',
      holdMs: [500, 5000],
      apply: () => server.kill(),
      heal: () => server.start(),
    },
    {
      ...common,
      name: 'stop Redis',
      holdMs: [3000, 5000],
      apply: instantly(() => server.pause()),
      heal: instantly(() => server.resume()),
    },
    momentary('empty Redis', redis, ['FLUSHALL']),
    momentary('drop subscriptions', redis, ['CLIENT', 'KILL', 'TYPE', 'pubsub']),
    olderCopy(redis, processes),
  ];
}

function momentary(name: string, { server }: SharedRedis, command: readonly string[]): Fault {
  const apply = async (): Promise<void> => {
    await server.command(...command);
  };
  return { name, weight: 1, touches: ['redis'], holdMs: [0, 100], apply, heal: nothing };
}

/** Like a failover to a lagging replica: recent writes are lost, and all connections are closed. */
function olderCopy({ server, paths }: SharedRedis, processes: readonly ApiProcess[]): Fault {
  return {
    name: 'older Redis',
    weight: 1,
    touches: ['redis', ...processes.map(pathOf)],
    holdMs: [500, 3000],
    apply: async () => {
      await server.command('EVAL', remember, '0');
    },
    heal: async () => {
      for (const path of paths) path.cut();
      await server.command('SWAPDB', '0', '1');
      for (const path of paths) path.restore();
    },
  };
}

/** Copies everything into database 1. */
const remember = `
  redis.call('SELECT', 1)
  redis.call('FLUSHDB')
  redis.call('SELECT', 0)
  for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end`;

/** Faults of the connection of one process to Redis. */
export function pathFaults({ paths }: SharedRedis, processes: readonly ApiProcess[]): readonly Fault[] {
  const weight = 1 / processes.length;
  return processes.flatMap((process, n) => {
    const path = paths[n];
    if (path === undefined) return [];
    const common = { weight, touches: [pathOf(process)], holdMs: [1000, 5000] as const };
    const heal = instantly(() => path.restore());
    return [
      { ...common, name: `cut ${process.name} from Redis`, apply: instantly(() => path.cut()), heal },
      {
        ...common,
        name: `lose packets of ${process.name} to Redis`,
        apply: instantly(() => path.freeze()),
        heal,
      },
    ];
  });
}

const pathOf = ({ name }: ApiProcess): string => `the path of ${name} to Redis`;
