import { passwordFacts, profileFacts } from './account-facts.js';
import type { Operation } from './history.js';
import { sessionFacts } from './session-facts.js';
import type { Fact } from './statements.js';
import { taskFacts } from './task-facts.js';

/** The facts from one user's operations, by the key of their register. */
export function factsByKey(operations: readonly Operation[]): ReadonlyMap<string, readonly Fact[]> {
  const ordered = [...operations].sort((a, b) => a.invokedAt - b.invokedAt);
  const facts = [taskFacts, profileFacts, passwordFacts, sessionFacts].flatMap((read) => read(ordered));
  return Map.groupBy(facts, ({ key }) => key);
}
