/**
 * api: this API; bare: Fastify and pg alone; prisma: Express and Prisma; cached: Fastify and one call to Redis; pgbench: the
 * bare server's statements without a server.
 */
export const serverNames = ['api', 'bare', 'prisma', 'cached', 'pgbench'] as const;
export type ServerName = (typeof serverNames)[number];

export interface Workload {
  readonly name: string;
  /** Without its ending, in load/compare/wrk. */
  readonly script: string;
  readonly servers: readonly ServerName[];
  /** Creates or updates tasks. */
  readonly isWrite: boolean;
  /** Without the product's indexes to which the bare table has no counterpart. */
  readonly isWithoutOwnIndexes: boolean;
}

const workload = (name: string, servers: readonly ServerName[], more: Partial<Workload> = {}): Workload => ({
  name,
  script: name,
  servers,
  isWrite: false,
  isWithoutOwnIndexes: false,
  ...more,
});

const write = { isWrite: true };

export const withoutOwnIndexes = workload('create-without-own-indexes', ['api', 'bare'], {
  ...write,
  script: 'create',
  isWithoutOwnIndexes: true,
});

/** Reads come first, because writes change the tables. */
export const workloads: readonly Workload[] = [
  workload('list-cached', ['api', 'bare', 'prisma', 'cached']),
  workload('list', ['api', 'bare', 'prisma', 'pgbench']),
  workload('get', ['api', 'bare', 'prisma', 'pgbench']),
  workload('stats-cached', ['api', 'bare']),
  workload('stats', ['api', 'bare']),
  workload('create', ['api', 'bare', 'prisma', 'pgbench'], write),
  workload('update', ['api', 'bare', 'prisma'], write),
  workload('mix', ['api', 'bare'], write),
  withoutOwnIndexes,
];
