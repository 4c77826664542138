import { releaseServers } from './shared-servers.js';

/** Jest's globalTeardown of the e2e suites. */
export default async function globalTeardown(): Promise<void> {
  await releaseServers();
}
