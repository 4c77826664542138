/** Values of a statement. `add` gives the placeholder of one, so that no value becomes part of the text. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown, type: string): string {
    return `$${this.values.push(value)}::${type}`;
  }
}
