import { isLive, type Fact } from './statements.js';

/** The list that an item was in, by its rank, as far as writes and reads tell. */
export function placesOf(facts: readonly Fact[]): ReadonlyMap<number, string> {
  const places = new Map<number, string>();
  for (const { statement } of facts) {
    if (statement.type !== 'wrote' && statement.type !== 'saw') continue;
    const { rank, place } = statement;
    if (rank !== null && isLive(rank) && place !== undefined) places.set(rank, place);
  }
  return places;
}
