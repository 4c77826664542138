import { ruleGroups } from '../../../monitoring/rules/index.js';
import { timesShorter } from './stage.js';

const rules = ruleGroups({ timesShorter }).flatMap((group) => group.rules);

export interface Recording {
  readonly record: string;
  readonly expr: string;
}
export interface Alert {
  readonly alert: string;
  readonly expr: string;
}

export const recordings: readonly Recording[] = rules.flatMap(({ record, expr }) =>
  record === undefined ? [] : [{ record, expr }],
);
export const alerts: readonly Alert[] = rules.flatMap(({ alert, expr }) =>
  alert === undefined ? [] : [{ alert, expr }],
);
