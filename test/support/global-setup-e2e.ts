import { shareServers } from './shared-servers.js';

/** Jest's globalSetup of the e2e suites. A separate file, because Jest runs a file that two projects share only once. */
export default async function globalSetup(): Promise<void> {
  await shareServers({ api: true });
}
