import type { Scope } from './scope.js';

/** A rule as Prometheus reads it: a recording rule or an alert. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly Rule[];
}

/** The input of a rule group. */
export interface Target {
  readonly scope: Scope;
  /** A duration as Prometheus writes it, such as `5m`; shortened if a test requests it. */
  readonly time: (duration: string) => string;
  /** The same as a number of seconds. */
  readonly seconds: (duration: string) => number;
}

export type RulesFor = (target: Target) => RuleGroup;

export interface Alert {
  readonly alert: string;
  /** `critical` pages somebody, `warning` creates a ticket. */
  readonly severity: 'critical' | 'warning';
  readonly expr: string;
  /** Without it, the first evaluation with a result raises the alert. */
  readonly for?: string;
  /** What a user notices. */
  readonly summary: string;
  /** The first thing to check. */
  readonly description: string;
  /** Name of its file in docs/runbooks. */
  readonly runbook: string;
  /** The dashboard that shows it: `overview` is the one with the uid `task-api-overview`. */
  readonly dashboard: 'overview' | 'runtime' | 'database' | 'cache' | 'kubernetes' | 'slo' | 'business';
  /** The release of the alert, for series of the cluster, which have another job label. */
  readonly job?: string;
}

export function alertRule({ scope, time }: Target, alert: Alert): Rule {
  const { severity, summary, description, runbook, dashboard, job } = alert;
  return {
    alert: alert.alert,
    expr: alert.expr,
    ...(alert.for !== undefined && { for: time(alert.for) }),
    labels: { severity, ...(job !== undefined && { job }) },
    annotations: {
      summary,
      description,
      runbook_url: `${scope.runbooks}/${runbook}.md`,
      dashboard: `task-api-${dashboard}`,
    },
  };
}

/** For texts of alerts that keep both labels: pods exist only in Kubernetes. */
export const processName = '{{ with $labels.pod }}{{ . }}{{ else }}{{ $labels.instance }}{{ end }}';

/** The default evaluation interval of rules. */
export const usualInterval = '30s';
