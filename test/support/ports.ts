import { connect, createServer } from 'node:net';

/** Below what Linux (32768) and others (49152) hand out by themselves. */
const first = 18_000;
const last = 32_000;

/**
 * Free ports, all different, for servers that start seconds later, or are killed and start again. None is of the range
 * from which the system takes the near end of outgoing connections: before a server is there or while it is away,
 * somebody's attempt could otherwise be given its port; a client of its own is then connected to itself.
 */
export async function serverPorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = first + Math.floor(Math.random() * (last - first));
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

/** Whether something takes connections there, which says no more than that. */
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
