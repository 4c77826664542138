import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait.js';

let echo: Server;
let proxy: TcpProxy;
const seen: string[] = [];
const clients: Socket[] = [];

beforeAll(async () => {
  echo = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        seen.push(String(data));
        socket.write(data);
      });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
});
beforeEach(async () => {
  proxy = await startTcpProxy((echo.address() as AddressInfo).port);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.stop();
});
afterAll(() => echo.close());

async function newClient(port = proxy.port): Promise<Socket> {
  const client = connect(port, '127.0.0.1').on('error', () => undefined);
  clients.push(client);
  await once(client, 'connect');
  return client;
}

async function ask(client: Socket, word: string): Promise<string> {
  client.write(word);
  const [answer] = (await once(client, 'data')) as [Buffer];
  return String(answer);
}

describe('startTcpProxy', () => {
  it('forwards both directions, and the end of a connection', async () => {
    const client = await newClient();
    expect(await ask(client, 'hello')).toBe('hello');
    expect(proxy.connections()).toBe(1);
    client.end('bye');
    expect(await text(client)).toBe('bye');
    await waitFor(() => proxy.connections() === 0);
  });

  it('delays both directions as set, and none afterwards', async () => {
    const client = await newClient();
    const timed = async (): Promise<number> => {
      const start = performance.now();
      expect(await ask(client, 'hello')).toBe('hello');
      return performance.now() - start;
    };
    proxy.slow(100);
    expect(await timed()).toBeGreaterThanOrEqual(199);
    proxy.slow(0);
    expect(await timed()).toBeLessThan(100);
  });

  it('abandons current connections, and forwards later ones', async () => {
    const abandoned = await newClient();
    await ask(abandoned, 'hello');
    proxy.abandon();
    let heard = '';
    abandoned.on('data', (data) => (heard += String(data)));
    abandoned.write('lost');
    expect(await ask(await newClient(), 'again')).toBe('again');
    expect([heard, abandoned.destroyed, seen.includes('lost')]).toEqual(['', false, false]);
    expect(proxy.connections()).toBe(1);
  });

  it('resets current and new connections while cut', async () => {
    const client = await newClient();
    await ask(client, 'hello');
    proxy.cut();
    await expect(once(client, 'data')).rejects.toMatchObject({ code: 'ECONNRESET' });
    const late = newClient().then((connected) => once(connected, 'data'));
    await expect(late).rejects.toMatchObject({ code: 'ECONNRESET' });
    proxy.restore();
    expect(await ask(await newClient(), 'again')).toBe('again');
  });

  it('forwards nothing of old and new connections while frozen, and everything after it is restored', async () => {
    const client = await newClient();
    await ask(client, 'hello');
    proxy.freeze();
    const answer = ask(client, 'frozen');
    const late = await newClient();
    const lateAnswer = ask(late, 'late');
    await waitFor(() => proxy.connections() === 2);
    expect(seen.filter((word) => word === 'frozen' || word === 'late')).toEqual([]);
    proxy.restore();
    expect(await Promise.all([answer, lateAnswer])).toEqual(['frozen', 'late']);
  });

  it('hides a client that left while frozen from the server until it is restored', async () => {
    const client = await newClient();
    await ask(client, 'hello');
    const count = (): Promise<number> =>
      new Promise((resolve, reject) => {
        echo.getConnections((error, open) => (error ? reject(error) : resolve(open)));
      });
    const before = await count();
    proxy.freeze();
    client.resetAndDestroy();
    const direct = await newClient((echo.address() as AddressInfo).port);
    await ask(direct, 'directly');
    expect(await count()).toBe(before + 1);
    direct.destroy();
    proxy.restore();
    await waitFor(async () => (await count()) === before - 1);
  });
});
