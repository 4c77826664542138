import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ruleGroups } from '../../../monitoring/rules/index.js';
import { startApi, type Api } from '../../support/api.js';
import { startPostgresExporter, startRedisExporter } from '../../support/exporters.js';
import { startOtlpReceiver, type OtlpReceiver } from '../../support/otlp-receiver.js';
import { startPrometheus, type ScrapeTarget } from '../../support/prometheus.js';
import type { PrometheusClient } from '../../support/prometheus-client.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import {
  startReplicatedPostgres,
  type PostgresNode,
  type ReplicatedPostgres,
} from '../../support/replicated-postgres.js';
import { sharedSettings } from '../../support/shared-settings.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { createDatabase, runSql } from '../../support/test-database.js';
import { startMailServer } from './mail-server.js';

/** The service and its servers, functions to break each of them, and two Prometheus servers that scrape it. */
export interface Stage {
  /** The two processes, by number: 0 and 1. */
  readonly apis: readonly Api[];
  readonly primary: PostgresNode;
  readonly replica: PostgresNode;
  readonly databaseUrl: string;
  /** The API's connection to the primary; exporters and replicas connect directly. */
  readonly primaryWay: TcpProxy;
  readonly mailWay: TcpProxy;
  readonly redis: TestRedis;
  readonly traces: OtlpReceiver;
  readonly prometheus: PrometheusClient;
  /** Scrapes the same targets, but renames some metrics. */
  readonly renamed: PrometheusClient;
  /** Removes all processes from Prometheus' targets, as if all pods were gone. @returns a function that restores them */
  hideProcesses(): Promise<() => Promise<void>>;
  /** Starts a stopped process again at the same address, as that version. */
  restart(n: number, version: string): Promise<void>;
  stop(): Promise<void>;
}

export interface StageOptions {
  /** The namespace label of the service, equal to that of the cluster's series. */
  readonly namespace: string;
  readonly moreTargets: readonly ScrapeTarget[];
  /** Old and new names of metrics, for the second Prometheus. */
  readonly renamed: Readonly<Record<string, string>>;
}

/** Shortens windows and waiting times of the rules, so that alerts start and end within minutes. */
export const timesShorter = 60;
export const firstVersion = '1.0.0';
const apiJob = 'task-api';

export async function startStage(options: StageOptions): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const each of stops.splice(0).toReversed())
      await each().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, 'Not all of it could be stopped.');
  };
  const keep = async <T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    stops.push(() => started.stop());
    return started;
  };
  try {
    return await build(options, keep, stop, stops);
  } catch (error) {
    await stop();
    throw error;
  }
}

type Keep = <T extends { stop(): Promise<unknown> }>(starting: Promise<T>) => Promise<T>;

async function build(
  options: StageOptions,
  keep: Keep,
  stop: () => Promise<void>,
  stops: (() => Promise<unknown>)[],
): Promise<Stage> {
  const [redis, postgres, traces, mail] = await Promise.all([
    keep(startRedis({ settings: { maxmemory: '256mb' } })),
    keep(startReplicatedPostgres({ replicas: 1 })),
    keep(startOtlpReceiver()),
    keep(startMailServer()),
  ]);
  const [replica] = postgres.replicas;
  if (replica === undefined) throw new Error('There is no replica.');
  await useSlot(postgres.primary, replica);
  const databaseUrl = await createDatabase(postgres.primary.adminUrl, 'monitoring');
  const name = new URL(databaseUrl).pathname.slice(1);
  const primaryWay = await keep(startTcpProxy(postgres.primary.port));
  const mailWay = await keep(startTcpProxy(mail.port));

  const folder = await mkdtemp(join(tmpdir(), 'task-api-monitoring-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const wayUrl = new URL(databaseUrl);
  wayUrl.port = String(primaryWay.port);
  const env = {
    ...(await sharedSettings(folder)),
    ...limits,
    REDIS_URL: redis.url,
    DATABASE_REPLICA_URLS: replica.url(name),
    SMTP_URL: `smtp://127.0.0.1:${mailWay.port}`,
    SMTP_REQUIRE_TLS: 'false',
    MAIL_FROM: 'Tasks <tasks@example.com>',
    OTEL_EXPORTER_OTLP_ENDPOINT: traces.url,
    OTEL_TRACES_SAMPLER: 'always_on',
    OTEL_BSP_SCHEDULE_DELAY: '500',
  };
  const start = (version: string, place: object = {}): Promise<Api> =>
    startApi({ databaseUrl: wayUrl.href, mailDir: folder, ...place, env: { ...env, APP_VERSION: version } });
  const apis = [await start(firstVersion)];
  stops.push(() => Promise.all(apis.map((api) => api.kill())));
  apis.push(await start(firstVersion));

  const targets = [...(await targetsOf(options, apis, { redis, postgres }, keep)), ...options.moreTargets];
  const rules = ruleGroups({ timesShorter });
  const [prometheus, renamed] = await Promise.all([
    keep(startPrometheus({ targets, ruleGroups: rules })),
    keep(startPrometheus({ targets, ruleGroups: rules, renamed: options.renamed })),
  ]);
  const restart = async (n: number, version: string): Promise<void> => {
    const [port, opsPort] = [apis[n]?.url, apis[n]?.opsUrl].map((url = '') => Number(new URL(url).port));
    apis[n] = await start(version, { port, opsPort });
  };
  const hideProcesses = async (): Promise<() => Promise<void>> => {
    await prometheus.retarget(
      targets.map((target) => ({ ...target, isGone: target.labels['job'] === apiJob })),
    );
    return () => prometheus.retarget(targets);
  };
  return {
    ...{ apis, primary: postgres.primary, replica, databaseUrl, primaryWay, mailWay, redis, traces },
    ...{ prometheus: prometheus.client, renamed: renamed.client, restart, hideProcesses, stop },
  };
}

/** Few connections, so that the pool can be exhausted; limits that one address reaches within a second or two. */
const limits = {
  LOG_LEVEL: 'warn',
  ACCESS_TOKEN_TTL_SECONDS: '3600',
  DATABASE_POOL_SIZE: '4',
  // Waiting for a connection is slow but does not fail.
  DATABASE_CONNECT_TIMEOUT_MS: '10000',
  RATE_LIMIT_ANONYMOUS_POINTS: '300',
  RATE_LIMIT_BLOCK_SECONDS: '5',
  RATE_LIMIT_FAILED_LOGIN_POINTS: '3',
};

/** With a slot, like the chart's replicas: the primary keeps WAL for it. */
async function useSlot(primary: PostgresNode, replica: PostgresNode): Promise<void> {
  await runSql(primary.adminUrl, `SELECT pg_create_physical_replication_slot('replica_0', true)`);
  await runSql(replica.adminUrl, `ALTER SYSTEM SET primary_slot_name = 'replica_0'`);
  await runSql(replica.adminUrl, 'SELECT pg_reload_conf()');
}

async function targetsOf(
  { namespace }: StageOptions,
  apis: readonly Api[],
  { redis, postgres }: { redis: TestRedis; postgres: ReplicatedPostgres },
  keep: Keep,
): Promise<readonly ScrapeTarget[]> {
  const [primary, replica, ofRedis] = await Promise.all([
    keep(startPostgresExporter(postgres.primary.adminUrl)),
    keep(startPostgresExporter(postgres.replicas[0]?.adminUrl ?? '')),
    keep(startRedisExporter(redis)),
  ]);
  const job = apiJob;
  return [
    ...apis.map(({ opsUrl }) => ({ address: new URL(opsUrl).host, labels: { namespace, job } })),
    { address: primary.address, labels: { namespace, job: `${job}-postgres`, server: 'primary' } },
    { address: replica.address, labels: { namespace, job: `${job}-postgres`, server: 'replica-0' } },
    { address: ofRedis.address, labels: { namespace, job: `${job}-redis` } },
  ];
}
