import { alertRule, usualInterval, type Alert, type RulesFor, type Target } from './rule.js';
import { clusterOf } from './scope.js';

/** What the cluster tells: kube-state-metrics and the kubelets. Where these are not scraped, nothing is told. */
export const kubernetesRules: RulesFor = (target) => ({
  name: 'task-api-kubernetes',
  interval: target.time(usualInterval),
  rules: [
    autoscalerAtMaximum(target),
    crashLooping(target),
    volumeFilling(target),
    volumeAlmostFull(target),
  ].map((alert) => alertRule(target, { ...alert, job: target.scope.release })),
});

function autoscalerAtMaximum({ scope }: Target): Alert {
  // KEDA puts its name before that of its object.
  const autoscaler = `${clusterOf(scope)}horizontalpodautoscaler=~"(keda-hpa-)?${scope.release}-api"`;
  const of = (name: string) =>
    `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_${name}{${autoscaler}})`;
  const max = of('spec_max_replicas');
  return {
    alert: 'TaskApiAutoscalerAtMaximum',
    severity: 'warning',
    expr: `${of('status_desired_replicas')} >= ${max} and ${max} > ${of('spec_min_replicas')}`,
    for: '15m',
    summary: 'More load on {{ $labels.namespace }} would make it slow: no more pods may be added.',
    description:
      '{{ $labels.horizontalpodautoscaler }} is at its maximum of {{ $value }} pods. Look whether the load is real, then raise the maximum with the connections of Postgres in mind.',
    runbook: 'autoscaler-at-maximum',
    dashboard: 'kubernetes',
  };
}

function crashLooping({ scope, time }: Target): Alert {
  const pods = `${clusterOf(scope)}pod=~"${scope.release}-api-.*"`;
  const by = 'max by (namespace, pod, container)';
  return {
    alert: 'TaskApiCrashLooping',
    severity: 'critical',
    // Between two tries a container runs for a while: the last minutes count, not the moment.
    expr:
      `${by} (max_over_time(kube_pod_container_status_waiting_reason{${pods},reason="CrashLoopBackOff"}[${time('5m')}])) > 0` +
      ` or ${by} (increase(kube_pod_container_status_restarts_total{${pods}}[${time('30m')}])) >= 3`,
    for: '10m',
    summary:
      'A pod of the API in {{ $labels.namespace }} ends again and again: requests to it are lost, and the others carry its load.',
    description:
      'Look at how {{ $labels.container }} of {{ $labels.pod }} ended: `kubectl logs --previous`, and whether it was killed for its memory (OOMKilled).',
    runbook: 'crash-looping',
    dashboard: 'kubernetes',
  };
}

/** Of Postgres, by the chart or by CloudNativePG, and of its backups. */
const volumesOf = ({ scope }: Target): string =>
  `${clusterOf(scope)}persistentvolumeclaim=~"(data-)?${scope.release}-(postgres-.+|backup)"`;

const byClaim = 'max by (namespace, persistentvolumeclaim)';

/** By what is left, not by what is used: a file system keeps some for root. */
const fullness = (volumes: string): string =>
  `1 - ${byClaim} (kubelet_volume_stats_available_bytes{${volumes}}) / ${byClaim} (kubelet_volume_stats_capacity_bytes{${volumes}})`;

function volumeFilling(target: Target): Alert {
  const { time, seconds } = target;
  const available = `kubelet_volume_stats_available_bytes{${volumesOf(target)}}`;
  const full = fullness(volumesOf(target));
  // WAL comes and goes, and a new database fills quickly at first: only what is half full and an hour old is foretold.
  const isFullSoon =
    `${byClaim} (predict_linear(${available}[${time('6h')}], ${seconds('4d')})) < 0` +
    ` and ${byClaim} (${available} offset ${time('1h')})`;
  return {
    alert: 'TaskApiVolumeFilling',
    severity: 'warning',
    expr: `${full} > 0.85 or (${full} > 0.5 and (${isFullSoon}))`,
    for: '15m',
    summary: 'When a volume in {{ $labels.namespace }} is full, writes fail.',
    description:
      '{{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full: above 85 %, or full within four days at this rate. Look at what grows: tables, or WAL that a slot keeps.',
    runbook: 'volume-filling',
    dashboard: 'database',
  };
}

function volumeAlmostFull(target: Target): Alert {
  return {
    alert: 'TaskApiVolumeAlmostFull',
    severity: 'critical',
    expr: `${fullness(volumesOf(target))} > 0.95`,
    for: '5m',
    summary: 'A volume in {{ $labels.namespace }} is about to be full: then writes fail.',
    description:
      '{{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full. Enlarge it now.',
    runbook: 'volume-filling',
    dashboard: 'database',
  };
}
