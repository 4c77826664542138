/**
 * A part of the export of a user's data. Each feature that keeps something of a user provides one
 * and the app hands them to the users feature, which knows none of them.
 */
export abstract class ExportSource {
  /** Member of the export's object that this part fills, e.g. `tasks`. */
  abstract readonly name: string;
  /** Everything that this feature keeps of the user and the user may see, as JSON values. */
  abstract exportOf(userId: string): Promise<unknown>;
}
