import { shareServers } from './shared-servers.js';

/** Jest's globalSetup of the integration suites. */
export default async function globalSetup(): Promise<void> {
  await shareServers({ api: false });
}
