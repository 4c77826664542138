const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parses a duration of one unit, such as `5m`. @throws Error for other texts */
export function msOf(duration: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(duration) ?? [];
  if (count === undefined || unit === undefined) throw new Error(`${duration} is no duration, such as 5m.`);
  return Number(count) * units[unit as keyof typeof units];
}

/** `5m` made 60 times shorter is `5s`. */
export function shorten(duration: string, times: number): string {
  if (times === 1) return duration;
  const ms = Math.max(1, Math.round(msOf(duration) / times));
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
