/**
 * `node --import ./scripts/built-hook.mjs test/consistency/process/main.ts [PROTECTION]`: the built API, which can
 * crash on a signal and can lack one protection.
 */
import { runApi } from '../../../apps/api/run.js';
import { RedisConsistencyStore } from '../../../libs/platform/consistency/redis-consistency-store.js';
import { protectionNames } from '../protections/names.js';
import { partsWithout } from '../protections/parts.js';
import { crashingOnSignal } from './crash-after-commit.js';

const [, , name] = process.argv;
const missing = protectionNames.find((each) => each === name);
if (name !== undefined && missing === undefined)
  throw new Error(`The protections are ${protectionNames.join(', ')}.`);
const parts = missing === undefined ? {} : partsWithout[missing];
const Store = crashingOnSignal(parts.RedisConsistencyStore ?? RedisConsistencyStore);
await runApi({ parts: { ...parts, RedisConsistencyStore: Store } });
