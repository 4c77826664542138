/**
 * `node --import ./scripts/built-hook.mjs test/consistency/process/main.ts [PROTECTION]`: the built API, which can crash on
 * a signal and can lack one protection. TEST_SHAPE `lists`: it has the feature of shared lists besides; `split`: it has a
 * part of the features, see `SplitVariables`.
 */
import { features } from '../../../apps/features.js';
import { runApi } from '../../../apps/api/run.js';
import { RedisConsistencyStore } from '../../../libs/platform/consistency/redis-consistency-store.js';
import { allProtectionNames } from '../protections/names.js';
import { partsWithout } from '../protections/parts.js';
import { compositionOf } from '../split/composition.js';
import { rulesWithout } from '../protections/rules.js';
import { sharedListsFeature } from '../lists/shared-lists.feature.js';
import { crashingOnSignal } from './crash-after-commit.js';

const [, , name] = process.argv;
const missing = allProtectionNames.find((each) => each === name);
if (name !== undefined && missing === undefined)
  throw new Error(`The protections are ${allProtectionNames.join(', ')}.`);
const parts = missing === undefined ? {} : (partsWithout[missing] ?? {});
const Store = crashingOnSignal(parts.RedisConsistencyStore ?? RedisConsistencyStore);
const moreFeatures = process.env['TEST_SHAPE'] === 'lists' ? [sharedListsFeature(rulesWithout(missing))] : [];
const composition = compositionOf(process.env);
await runApi({
  ...composition,
  features: [...(composition.features ?? features), ...moreFeatures],
  parts: { ...parts, RedisConsistencyStore: Store },
});
