import type { RedisConsistencyStore } from '../../../libs/platform/consistency/redis-consistency-store.js';

/**
 * Adds the fault of a crash to a store: after SIGUSR2 this process kills itself at its next write, between COMMIT and the
 * storing the last-write position.
 */
export function crashingOnSignal(Store: typeof RedisConsistencyStore): typeof RedisConsistencyStore {
  let isArmed = false;
  process.on('SIGUSR2', () => {
    isArmed = true;
  });
  return class extends Store {
    override finish(...args: Parameters<RedisConsistencyStore['finish']>): Promise<void> {
      const [, position] = args;
      if (isArmed && position !== null) process.kill(process.pid, 'SIGKILL');
      return super.finish(...args);
    }
  };
}
