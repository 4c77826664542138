/** Counts calls that wait, so that they are not more than a process can hold, and that one user does not take all places. */
export class WaitingCalls {
  private count = 0;
  private readonly byUser = new Map<string, number>();

  constructor(
    private readonly max: number,
    private readonly maxOfUser: number,
  ) {}

  /** A place for a call of the user; null for a call of nobody. Returns what frees it, or null where there is none. */
  begin(userId: string | null): (() => void) | null {
    const own = userId === null ? 0 : (this.byUser.get(userId) ?? 0);
    if (this.count >= this.max || own >= this.maxOfUser) return null;
    this.count++;
    if (userId !== null) this.byUser.set(userId, own + 1);
    return () => {
      this.count--;
      if (userId === null) return;
      const left = (this.byUser.get(userId) ?? 1) - 1;
      if (left > 0) this.byUser.set(userId, left);
      else this.byUser.delete(userId);
    };
  }
}
