import { taskColumns, taskJson } from '../tasks.repository.js';
import type { PageRequest } from './page-request.js';
import { filtersOf, taggedWith } from './task-filters.js';
import { afterPage, orderOf } from './task-keyset.js';
import type { MatchesSql } from './task-matches.js';
import type { TaskQuery } from './task-query.schema.js';
import { ownedBy } from './task-search.query.js';

/** How much each step may read, in pages of the list. Few tasks may have the tags, which only `rest` finds: it comes soon. */
const pagesOf = ({ tag }: TaskQuery) => ({ few: 2, near: 8, more: tag === undefined ? 40 : 8 });

/**
 * A page of the tasks that pass filters which no index has in the order of the list. One can find all matches by an
 * index and sort them, or read the tasks in the order of the list until enough of them match. Which takes less depends on
 * how many match and where they are; the other may take a hundred times as long for a user with 100,000 tasks. The planner
 * cannot know: it has statistics of all users together, and one plan for all of them. So the statement finds out, in
 * steps that read a limited number of tasks each. A step runs only if those before it have not made the page:
 *
 * 1. `few` finds matches by the index, up to two pages of them. If these are all, they are sorted.
 * 2. `near` reads the next eight pages of tasks in the order of the list, if an index has it, until a page of them match.
 * 3. `more` is like `few`, with more pages.
 * 4. `rest` reads tasks in the order of the list to the end, or finds all that have the tags.
 *
 * Whether a step runs is asked outside of its LIMIT: inside, Postgres starts parallel workers, 10 ms, before it asks.
 */
export function filteredSql(request: PageRequest, matches: MatchesSql): string {
  const { query, limit } = request;
  const parts = partsOf(request);
  const { columns, order } = parts;
  const { few, more } = pagesOf(query);
  const isOrdered = query.sort.length === 1;
  const sorted = (step: string): string =>
    `(SELECT * FROM ${step} WHERE (SELECT made FROM ${step}_made) AND is_match AND ${parts.after}
      ORDER BY ${order} LIMIT ${limit})`;
  return `
    WITH few AS MATERIALIZED (${matches(columns, `${few} * ${limit} + 1`)}),
    few_made AS MATERIALIZED (SELECT count(*) <= ${few} * ${limit} AS made FROM few),
    near AS MATERIALIZED (${isOrdered ? nearSql(request, parts) : `SELECT * FROM few WHERE false`}),
    near_made AS MATERIALIZED (SELECT count(*) = ${limit} AS made FROM near),
    more AS MATERIALIZED (
      SELECT * FROM (${matches(columns, `${more} * ${limit} + 1`)}) AS found
      WHERE NOT (SELECT made FROM few_made) AND NOT (SELECT made FROM near_made)
    ),
    more_made AS MATERIALIZED (SELECT count(*) <= ${more} * ${limit} AS made FROM more)
    SELECT ${taskJson} AS json FROM (
      ${sorted('few')}
      UNION ALL (SELECT * FROM near WHERE (SELECT made FROM near_made))
      UNION ALL ${sorted('more')}
      UNION ALL (SELECT * FROM (${restSql(request, parts)}) AS rest WHERE NOT (SELECT made FROM more_made))
    ) AS page
    ORDER BY ${order}`;
}

/**
 * Those of the next three pages of tasks, in the order of the list, that pass the filters: a page if many do, and then without
 * all the steps of `filteredSql`, which take Postgres longer to set up than to run.
 */
export function firstTasksSql(request: PageRequest): string {
  const { columns, after, order } = partsOf(request);
  const { owner, limit } = request;
  return `
    SELECT ${taskJson} AS json FROM (
      SELECT ${columns} FROM tasks.tasks WHERE ${liveOf(owner)} AND ${after}
      ORDER BY ${order} LIMIT (SELECT 3 * ${limit})
    ) AS next WHERE is_match ORDER BY ${order} LIMIT ${limit}`;
}

interface Parts {
  /** What each step selects: the task, and whether it passes all filters. */
  readonly columns: string;
  /** The condition that a task passes all filters. */
  readonly all: string;
  /** The condition for tasks after the page before. */
  readonly after: string;
  readonly order: string;
}

function partsOf({ query, after, owner, parameters }: PageRequest): Parts {
  const all = filtersOf(query, { owner, words: null, tagsByIndex: false, parameters }).join(' AND ');
  return {
    columns: `${taskColumns}, (${all}) IS TRUE AS is_match`,
    all,
    after: after === null ? 'true' : afterPage(query.sort, after, parameters),
    order: orderOf(query.sort),
  };
}

const liveOf = (owner: string): string => `user_id = ${owner} AND deleted_at IS NULL`;

/** The planner does not know a limit that is a subquery: it reads in the order of the list, however few tasks it expects of a user. */
function nearSql({ query, owner, limit }: PageRequest, { columns, after, order }: Parts): string {
  return `
    SELECT * FROM (
      SELECT ${columns} FROM tasks.tasks WHERE ${liveOf(owner)} AND ${after}
      ORDER BY ${order} LIMIT (SELECT ${pagesOf(query).near} * ${limit})
    ) AS next WHERE is_match AND NOT (SELECT made FROM few_made) LIMIT ${limit}`;
}

/** In a form that no index can serve, and that keeps the planner from an estimate of how many match. */
const hidden = (condition: string): string => `CASE WHEN ${condition} THEN true END`;

/**
 * Only the index that has the order serves it, or that of the tags: from an estimate of how many match, the planner would
 * read all tasks of a user where a few in the order of the list suffice, or combine the tags with what others have.
 */
function restSql(request: PageRequest, { columns, all, after, order }: Parts): string {
  const { query, owner, limit, parameters } = request;
  const isOrdered = query.sort.length === 1;
  const conditions =
    query.tag === undefined
      ? [liveOf(owner), after, isOrdered ? hidden(all) : all]
      : [
          ownedBy(owner),
          taggedWith(query.tag, { owner, tagsByIndex: true, parameters }),
          hidden(`${all} AND ${after}`),
        ];
  return `
    SELECT ${columns} FROM tasks.tasks WHERE ${conditions.join(' AND ')}
    ORDER BY ${order} LIMIT (SELECT ${limit})`;
}
