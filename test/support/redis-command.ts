import { Redis } from 'ioredis';

const timeoutMs = 3000;

/**
 * Sends one command over a separate connection and never retries: the caller decides what an unreachable or hung server means.
 * @throws Error if it takes longer than 3 s.
 */
export async function askRedis(url: string, args: readonly string[], ca?: Buffer): Promise<unknown> {
  const [name = '', ...rest] = args;
  const trust = ca === undefined ? {} : { tls: { ca } };
  const once = {
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    lazyConnect: true,
    enableReadyCheck: false,
  };
  const client = new Redis(url, { ...trust, ...once, disconnectTimeout: 0 });
  client.on('error', () => undefined);
  // Instead of ioredis' timeout per command, whose timer stays active afterwards.
  const expiry = setTimeout(() => client.disconnect(), timeoutMs);
  try {
    await client.connect();
    return await client.call(name, ...rest);
  } finally {
    clearTimeout(expiry);
    client.disconnect();
  }
}
