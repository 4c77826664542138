import { connect, createServer } from 'node:net';

/** Below the ephemeral ports of Linux (from 32768) and other systems (from 49152). */
const first = 18_000;
const last = 32_000;

/** Given out before: a server may not listen on its port yet, or have been killed to start again. */
const given = new Set<number>();

/**
 * Free ports, all different, for servers that start seconds later, or are killed and started again. None is an ephemeral
 * port: the system could otherwise give it to an outgoing connection while the server is down, and a client of that
 * server could even be connected to itself.
 */
export async function serverPorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = first + Math.floor(Math.random() * (last - first));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Whether something accepts connections on the port; that alone does not mean that it is ready. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}
