import type { Parameters } from './parameters.js';
import type { PageEnd } from './task-cursor.js';
import type { TaskQuery } from './task-query.schema.js';

/** What a page shows, with the placeholders of its statement. */
export interface PageRequest {
  readonly query: TaskQuery;
  /** Null: the first page. */
  readonly after: PageEnd | null;
  readonly userId: string;
  /** Placeholder of the user's id. */
  readonly owner: string;
  /** The number of rows, as SQL. */
  readonly limit: string;
  readonly parameters: Parameters;
}
