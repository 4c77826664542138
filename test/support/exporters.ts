import { serverPorts } from './ports.js';
import { getProgram } from './programs.js';
import { runServer, type ServerProcess } from './server-process.js';

export interface Exporter extends ServerProcess {
  /** `host:port` to scrape. */
  readonly address: string;
}

/** Prometheus' exporter for a Postgres server; on Debian as root it is installed. */
export const startPostgresExporter = (url: string): Promise<Exporter> =>
  start('prometheus-postgres-exporter', { DATA_SOURCE_NAME: `${url}?sslmode=disable&connect_timeout=3` });

/** Debian's exporter for a Redis server; as root it is installed. */
export const startRedisExporter = ({
  port,
  password,
}: {
  port: number;
  password: string;
}): Promise<Exporter> =>
  start('prometheus-redis-exporter', {
    REDIS_ADDR: `redis://127.0.0.1:${port}`,
    REDIS_PASSWORD: password,
  });

async function start(name: string, env: Readonly<Record<string, string>>): Promise<Exporter> {
  const program = await getProgram(name);
  const [port = 0] = await serverPorts(1);
  const address = `127.0.0.1:${port}`;
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(2000) });
    await answer.arrayBuffer();
    return answer.ok;
  };
  const server = await runServer({ program, args: [`--web.listen-address=${address}`], env, isReady });
  return { ...server, address };
}
