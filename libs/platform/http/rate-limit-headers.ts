import type { CountedLimit } from '../context/call-context.js';

/** Tells the client of the limits that its call was counted against (draft-ietf-httpapi-ratelimit-headers-10). */
export function addLimitHeaders(limits: readonly CountedLimit[], headers: string[]): void {
  if (limits.length === 0) return;
  headers.push('ratelimit-policy', limits.map(policyItem).join(', '));
  headers.push('ratelimit', limits.map(stateItem).join(', '));
}

/** Quota, and window in seconds. */
const policyItem = ({ name, points, windowMs }: CountedLimit): string =>
  `"${name}";q=${points};w=${Math.round(windowMs / 1000)}`;

/** What is left, and the seconds until the count starts anew. */
function stateItem({ name, points, used, resetMs, blockedMs }: CountedLimit): string {
  const left = blockedMs > 0 ? 0 : Math.max(0, points - used);
  return `"${name}";r=${left};t=${Math.ceil(Math.max(resetMs, blockedMs) / 1000)}`;
}
