import { releaseServers } from './shared-servers.js';

/** Jest's globalTeardown of the integration suites. */
export default async function globalTeardown(): Promise<void> {
  await releaseServers();
}
