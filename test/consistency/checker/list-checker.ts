import { brokenAnswers } from './checker.js';
import type { Operation } from './history.js';
import { itemFacts, ownItemFacts } from './item-facts.js';
import { membershipFacts } from './membership-facts.js';
import { judge } from './timeline.js';
import type { Violation } from './violations.js';

/**
 * Finds the promises about shared lists that a history breaks. What a write's answer or a read told anyone holds for everyone
 * who begins to read after that: each scope is asked for when a call has begun. Nobody is served after their removal was
 * acknowledged, and no member is refused. What overlapping calls or calls with an unknown outcome can explain is no violation.
 */
export function checkLists(history: readonly Operation[]): readonly Violation[] {
  const ordered = history.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const facts = [itemFacts, ownItemFacts, membershipFacts].flatMap((read) => read(ordered));
  const judged = [...Map.groupBy(facts, ({ key }) => key)].map(([key, some]) => judge(key, some));
  return [...brokenAnswers(ordered), ...judged.flatMap(({ violations }) => violations)];
}
