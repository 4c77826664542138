import { extension } from '../platform/features/define-feature.js';

/** A part of the export of a user's data. Each feature that stores something of a user contributes one. */
export abstract class ExportSource {
  /** Member of the export's object that this part fills, e.g. `tasks`. */
  abstract readonly name: string;

  /**
   * Everything that this feature keeps of the user and the user may see, as JSON values: one value, or, where there may
   * be many, an array in batches, so that nobody's export has to fit into memory.
   */
  abstract exportOf(userId: string): Promise<unknown> | AsyncIterable<readonly unknown[]>;
}

/** The parts of an export, in the order of the features. */
export const exportSources = extension<ExportSource>('export sources');

const batchSize = 500;
/** Sorts before every other id. */
const nil = '00000000-0000-0000-0000-000000000000';

/** Rows in the order of their ids, as many as there are: `read` gives at most `limit` of those after `afterId`. */
export async function* inBatches(
  read: (afterId: string, limit: number) => Promise<readonly { readonly id: string }[]>,
): AsyncGenerator<readonly unknown[]> {
  for (let after: string | undefined = nil; after !== undefined;) {
    const batch: readonly { readonly id: string }[] = await read(after, batchSize);
    yield batch;
    after = batch.length < batchSize ? undefined : batch.at(-1)?.id;
  }
}
