import { shareServers } from './shared-servers.js';

/** Jest's globalSetup of the e2e suites: a file of its own, since Jest calls one that two projects name only once. */
export default async function globalSetup(): Promise<void> {
  await shareServers({ api: true });
}
