import { alertRule, usualInterval, type Alert, type RulesFor, type Target } from './rule.js';
import { clusterOf } from './scope.js';

/** Alerts on the cluster's series, from kube-state-metrics and the kubelets. If these are not scraped, no alert fires. */
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
  // KEDA prefixes the name of its object.
  const autoscaler = `${clusterOf(scope)}horizontalpodautoscaler=~"(keda-hpa-)?${scope.release}-api"`;
  const of = (name: string) =>
    `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_${name}{${autoscaler}})`;
  const max = of('spec_max_replicas');
  return {
    alert: 'TaskApiAutoscalerAtMaximum',
    severity: 'warning',
    expr: `${of('status_desired_replicas')} >= ${max} and ${max} > ${of('spec_min_replicas')}`,
    for: '15m',
    summary: 'More load on {{ $labels.namespace }} would make it slow: the autoscaler is at its maximum.',
    description:
      '{{ $labels.horizontalpodautoscaler }} is at its maximum of {{ $value }} pods. Check whether the load is real, then raise the maximum. Mind the connections of Postgres.',
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
    // Between two attempts a container runs for a while, so the last minutes count, not the current state.
    expr:
      `${by} (max_over_time(kube_pod_container_status_waiting_reason{${pods},reason="CrashLoopBackOff"}[${time('5m')}])) > 0` +
      ` or ${by} (increase(kube_pod_container_status_restarts_total{${pods}}[${time('30m')}])) >= 3`,
    for: '10m',
    summary:
      'A pod of the API in {{ $labels.namespace }} restarts again and again: its requests are lost, and the others carry its load.',
    description:
      'Check how {{ $labels.container }} of {{ $labels.pod }} ended: `kubectl logs --previous`, and whether it ran out of memory (OOMKilled).',
    runbook: 'crash-looping',
    dashboard: 'kubernetes',
  };
}

/** Volumes of Postgres, by the chart or by CloudNativePG, and of its backups. */
const volumesOf = ({ scope }: Target): string =>
  `${clusterOf(scope)}persistentvolumeclaim=~"(data-)?${scope.release}-(postgres-.+|backup)"`;

const byClaim = 'max by (namespace, persistentvolumeclaim)';

/** Uses the available space, not the used space, because a file system reserves some for root. */
const fullness = (volumes: string): string =>
  `1 - ${byClaim} (kubelet_volume_stats_available_bytes{${volumes}}) / ${byClaim} (kubelet_volume_stats_capacity_bytes{${volumes}})`;

function volumeFilling(target: Target): Alert {
  const { time, seconds } = target;
  const available = `kubelet_volume_stats_available_bytes{${volumesOf(target)}}`;
  const full = fullness(volumesOf(target));
  // WAL comes and goes, and a new database fills quickly at first: only a volume that is half full and an hour old is predicted.
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
      '{{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full: above 85 %, or full within four days at this rate. Check what grows: tables, or WAL that a slot keeps.',
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
    summary: 'A volume in {{ $labels.namespace }} is almost full: then writes fail.',
    description:
      '{{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full. Enlarge it now.',
    runbook: 'volume-filling',
    dashboard: 'database',
  };
}
