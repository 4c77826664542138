import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** The IP address of the client, past the proxies that are trusted. What a proxy forwards that is none is not believed. */
export function addressOf({ ip, socket }: Pick<FastifyRequest, 'ip' | 'socket'>): string {
  const address = withoutPort(ip);
  return isIP(address) === 0 ? (socket.remoteAddress ?? '') : address;
}

/** Some gateways forward `1.2.3.4:5678` and `[::1]:5678`: each port would count as a client. */
const withoutPort = (address: string): string =>
  /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address)?.[1] ?? /^\[([^\]]+)\](?::\d+)?$/.exec(address)?.[1] ?? address;
