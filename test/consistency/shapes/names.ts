/**
 * `tasks`: users, each with tasks of their own. `split`: the same, with accounts and tasks in processes and databases of their
 * own. `lists`: users who share a few lists.
 */
export const shapeNames = ['tasks', 'split', 'lists'] as const;
export type ShapeName = (typeof shapeNames)[number];
