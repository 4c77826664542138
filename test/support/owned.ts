import { afterEach } from '@jest/globals';

export interface Owned {
  /** Stops the server when the test has ended. */
  owned<T extends { stop(): unknown }>(pending: Promise<T>): Promise<T>;
  /** Runs that when the test has ended, the last one first. */
  atEnd(stop: () => unknown): void;
  /** Stops what there is, for a test that begins anew. */
  stopAll(): Promise<void>;
}

/** What each test of the current file starts for itself, or, with `afterAll`, all of them. To be called once, outside of the tests. */
export function ownedByTests(after = afterEach): Owned {
  const stops: (() => unknown)[] = [];
  const atEnd = (stop: () => unknown): void => void stops.push(stop);
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  after(stopAll);
  const owned = async <T extends { stop(): unknown }>(pending: Promise<T>): Promise<T> => {
    const server = await pending;
    atEnd(() => server.stop());
    return server;
  };
  return { owned, atEnd, stopAll };
}
