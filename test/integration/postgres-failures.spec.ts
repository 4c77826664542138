import { DatabaseError } from 'pg';
import type { DataSource } from 'typeorm';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { logger } from '../../libs/platform/logging/logger.js';
import {
  ConnectionLost,
  ConnectionRefused,
  NoConnection,
  StatementTimedOut,
} from '../../libs/platform/postgres/connection-errors.js';
import { createDataSource } from '../../libs/platform/postgres/data-source.js';
import { isDatabaseUnavailable } from '../../libs/platform/postgres/postgres-errors.js';
import { postgresVariables } from '../../libs/platform/postgres/postgres.config.js';
import { serverPorts } from '../support/ports.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { sharedDatabase } from '../support/test-database.js';

logger.level = 'silent';

/** The driver's error, which TypeORM wraps for statements. */
async function failureOf(work: Promise<unknown>): Promise<{ error: unknown; isUnavailable: boolean }> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const driverError = error instanceof Error && 'driverError' in error ? error.driverError : error;
  return { error: driverError, isUnavailable: isDatabaseUnavailable(error) };
}

describe('a failure of Postgres has a type', () => {
  let url: string;
  let proxy: TcpProxy;
  const opened: DataSource[] = [];

  beforeAll(async () => {
    url = await sharedDatabase('failures');
    proxy = await startTcpProxy(Number(new URL(url).port || 5432));
  });
  afterEach(async () => {
    proxy.restore();
    await Promise.all(opened.splice(0).map((each) => each.destroy()));
  });
  afterAll(() => proxy.stop());

  const through = (port: number) => Object.assign(new URL(url), { port }).href;
  const create = (address: string) => {
    const environment = {
      DATABASE_POOL_SIZE: '1',
      DATABASE_CONNECT_TIMEOUT_MS: '500',
      DATABASE_STATEMENT_TIMEOUT_MS: '200',
    };
    return createDataSource(address, parseEnvironment(environment, postgresVariables), [], 'failures-test');
  };
  const open = async (address: string) => {
    const dataSource = await create(address).initialize();
    opened.push(dataSource);
    return dataSource;
  };

  it('where nothing listens', async () => {
    const [unused = 0] = await serverPorts(1);
    const { error, isUnavailable } = await failureOf(open(through(unused)));
    expect(error).toBeInstanceOf(ConnectionLost);
    expect(isUnavailable).toBe(true);
  });

  it('where a server accepts connections and does not answer', async () => {
    proxy.freeze();
    const { error, isUnavailable } = await failureOf(open(through(proxy.port)));
    expect(error).toBeInstanceOf(NoConnection);
    expect(isUnavailable).toBe(true);
  });

  it('where the password is wrong, which a retry does not help', async () => {
    const { error, isUnavailable } = await failureOf(
      open(Object.assign(new URL(url), { password: 'x' }).href),
    );
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ code: '28P01' });
    expect(isUnavailable).toBe(false);
  });

  it('where the server supports no TLS, which a retry does not help', async () => {
    const { error, isUnavailable } = await failureOf(open(`${url}?sslmode=verify-full`));
    expect(error).toBeInstanceOf(ConnectionRefused);
    expect(isUnavailable).toBe(false);
  });

  it('where a statement is not answered', async () => {
    const dataSource = await open(through(proxy.port));
    proxy.freeze();
    const { error, isUnavailable } = await failureOf(dataSource.query('SELECT 1'));
    expect(error).toBeInstanceOf(StatementTimedOut);
    expect(isUnavailable).toBe(true);
    proxy.restore();
    await expect(dataSource.query('SELECT 1 AS n')).resolves.toEqual([{ n: 1 }]);
  });

  it('where the server ends a statement that takes too long', async () => {
    const { error, isUnavailable } = await failureOf((await open(url)).query('SELECT pg_sleep(10)'));
    expect(error).toMatchObject({ code: '57014' });
    expect(isUnavailable).toBe(true);
  });

  it('where the connection breaks during a statement, and for the next one', async () => {
    const dataSource = await open(through(proxy.port));
    const runner = dataSource.createQueryRunner();
    await runner.connect();
    const running = failureOf(runner.query('SELECT pg_sleep(10)'));
    proxy.cut();
    for (const failure of [await running, await failureOf(runner.query('SELECT 1'))])
      expect(failure.isUnavailable).toBe(true);
    expect((await running).error).toBeInstanceOf(ConnectionLost);
    await runner.release();
  });

  it('where the pool has no free connection', async () => {
    const dataSource = await open(url);
    const runner = dataSource.createQueryRunner();
    await runner.connect();
    const { error, isUnavailable } = await failureOf(dataSource.query('SELECT 1'));
    expect(error).toBeInstanceOf(NoConnection);
    expect(isUnavailable).toBe(true);
    await runner.release();
  });
});
