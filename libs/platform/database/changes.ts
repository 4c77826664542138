import { maxScopes, type Scope } from '../context/scope.js';

/** What a transaction finds out that it changes, beyond what was known before it began. */
export class Changes {
  private readonly added = new Set<Scope>();

  constructor(private readonly isSeen: boolean) {}

  get scopes(): readonly Scope[] {
    return [...this.added];
  }

  /**
   * The transaction changes these scopes, too. To be taken from rows that it has locked or that a statement returned, and
   * for something that moves both from the old and the new state.
   */
  add(...scopes: readonly Scope[]): void {
    if (!this.isSeen) throw new Error('A write that nobody sees changes no scope.');
    for (const scope of scopes) this.added.add(scope);
    if (this.added.size > maxScopes) throw new Error(`A write changes ${maxScopes} scopes at most.`);
  }
}
