import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isListening, serverPorts } from './ports.js';
import { getProgram } from './programs.js';
import { runServer } from './server-process.js';

export interface Haproxy {
  readonly port: number;
  stop(): Promise<void>;
}

export interface HaproxyOptions {
  /** Ports of the servers on this machine. */
  readonly servers: readonly number[];
  /** Default: `roundrobin`. */
  readonly balance?: 'roundrobin' | 'leastconn';
  /** Default: `tcp`, which a hung server passes; `postgres` requires a response. */
  readonly check?: 'tcp' | 'postgres';
}

/**
 * Starts HAProxy, which distributes connections over several servers. A server that fails two checks, 100 ms apart, gets
 * no more connections, and its open ones are closed.
 */
export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const program = await getProgram('haproxy');
  const [port = 0] = await serverPorts(1);
  const directory = await mkdtemp(join(tmpdir(), 'haproxy-test-'));
  const file = join(directory, 'haproxy.cfg');
  await writeFile(file, configuration(port, options));
  const server = await runServer({
    program,
    args: ['-db', '-f', file],
    directory,
    isReady: () => isListening(port),
  });
  return { port, stop: () => server.stop() };
}

function configuration(port: number, options: HaproxyOptions): string {
  const { servers, balance = 'roundrobin', check = 'tcp' } = options;
  return `
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h

listen servers
  bind 127.0.0.1:${port}
  balance ${balance}
  ${check === 'postgres' ? 'option pgsql-check user postgres' : ''}
  timeout check 1s
  default-server check inter 100ms fall 2 rise 1 on-marked-down shutdown-sessions
${servers.map((each) => `  server on-${each} 127.0.0.1:${each}\n`).join('')}`;
}
