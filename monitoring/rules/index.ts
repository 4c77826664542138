import { cacheRules } from './cache.js';
import { databaseRules } from './database.js';
import { msOf, shorten } from './durations.js';
import { kubernetesRules } from './kubernetes.js';
import { longWindowRules, objectiveRules } from './objectives.js';
import { processRules } from './processes.js';
import type { RuleGroup, Target } from './rule.js';
import { anywhere, type Scope } from './scope.js';

export type { Rule, RuleGroup } from './rule.js';

export interface RuleOptions {
  readonly scope?: Scope;
  /** Makes windows and waiting times this many times shorter, so that a test sees an alert start and end. */
  readonly timesShorter?: number;
}

const groups = [objectiveRules, longWindowRules, processRules, databaseRules, cacheRules, kubernetesRules];

/** All rules; a rule file of Prometheus is `{ groups }`. */
export function ruleGroups({ scope = anywhere, timesShorter = 1 }: RuleOptions = {}): readonly RuleGroup[] {
  const time = (duration: string) => shorten(duration, timesShorter);
  const target: Target = { scope, time, seconds: (duration) => msOf(time(duration)) / 1000 };
  return groups.map((group) => group(target));
}
