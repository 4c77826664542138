import type { Scope } from './scope.js';

/** As Prometheus reads it: a rule that records, or an alert. */
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

/** What a group of rules is made for. */
export interface Target {
  readonly scope: Scope;
  /** A length of time as Prometheus writes it, such as `5m`: shorter where a test asks for that. */
  readonly time: (duration: string) => string;
  /** The same as a number of seconds. */
  readonly seconds: (duration: string) => number;
}

export type RulesFor = (target: Target) => RuleGroup;

export interface Alert {
  readonly alert: string;
  /** `critical` wakes somebody up, `warning` is a ticket. */
  readonly severity: 'critical' | 'warning';
  readonly expr: string;
  /** Without it the first evaluation that finds something tells. */
  readonly for?: string;
  /** What a user notices. */
  readonly summary: string;
  /** The first thing to look at. */
  readonly description: string;
  /** Name of its file in docs/runbooks. */
  readonly runbook: string;
  /** Where it is seen: `overview` is the dashboard with the uid `task-api-overview`. */
  readonly dashboard: 'overview' | 'runtime' | 'database' | 'cache' | 'kubernetes' | 'slo' | 'business';
  /** For what is measured by the cluster, and so has another job: whose alert it is. */
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

/** In texts, for alerts that keep both labels: only in Kubernetes there are pods. */
export const processName = '{{ with $labels.pod }}{{ . }}{{ else }}{{ $labels.instance }}{{ end }}';

/** How often rules are evaluated, where nothing else is said. */
export const usualInterval = '30s';
