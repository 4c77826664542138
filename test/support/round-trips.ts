import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CountingProxy {
  readonly port: number;
  /** How often a client sent something after the server had spoken, on all counted connections. */
  count(): number;
  stop(): Promise<void>;
}

/**
 * A proxy in front of a server on this machine that counts round trips, which the loopback interface hides. A connection
 * whose first message `isCounted` refuses, such as that of a probe, is forwarded but not counted.
 */
export async function startCountingProxy(
  targetPort: number,
  isCounted: (firstMessage: Buffer) => boolean = () => true,
): Promise<CountingProxy> {
  let trips = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    let isFirst = true;
    let counts = false;
    let hasServerSpoken = true;
    client.on('data', (sent: Buffer) => {
      if (isFirst) counts = isCounted(sent);
      isFirst = false;
      if (counts && hasServerSpoken) trips++;
      hasServerSpoken = false;
      upstream.write(sent);
    });
    upstream.on('data', (answer: Buffer) => {
      hasServerSpoken = true;
      client.write(answer);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    count: () => trips,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
