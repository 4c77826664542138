import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph, stat } from './panels.js';
import { count, increase, max, ofCluster, rate, sum } from './promql.js';

const hpa = (name: string) =>
  max(ofCluster(`kube_horizontalpodautoscaler_${name}`, 'horizontalpodautoscaler=~"(keda-hpa-)?$job-api"'));
const deployment = (name: string) => max(ofCluster(`kube_deployment_${name}`, 'deployment="$job-api"'));
/** The API, and the stores that the chart installs. */
const pods = 'pod=~"$job-(api|postgres|redis)-.+"';
const ofPods = (name: string, ...matchers: string[]) => ofCluster(name, pods, ...matchers);
const ofContainers = (name: string) => ofPods(name, 'container!="",container!="POD"');
const each = '{{pod}}';
const restarts = ofPods('kube_pod_container_status_restarts_total');
/** A state series that exists only while a container is in that state; zero for every other container. */
const inState = (name: string, reason: string) =>
  `${sum(ofPods(name, `reason="${reason}"`), 'pod')} or ${sum(restarts, 'pod')} * 0`;

const scaling = [
  graph({
    title: 'Autoscaler',
    description:
      'Existing pods, wanted pods, and the minimum and maximum of the autoscaler. At the maximum for a long time: requests are slow or refused, raise api.autoscaling.maxReplicas.',
    unit: units.Short,
    width: 12,
    queries: [
      { expr: hpa('status_current_replicas'), legend: 'current' },
      { expr: hpa('status_desired_replicas'), legend: 'desired' },
      { expr: hpa('spec_min_replicas'), legend: 'least' },
      { expr: hpa('spec_max_replicas'), legend: 'most' },
    ],
    runbooks: ['autoscaler-at-maximum'],
  }),
  graph({
    title: 'Pods of the API',
    description:
      'Wanted and ready pods. Fewer ready pods for minutes: they do not start, no node has room, or the migrations have not run.',
    unit: units.Short,
    width: 6,
    queries: [
      { expr: deployment('spec_replicas'), legend: 'wanted' },
      { expr: deployment('status_replicas_available'), legend: 'ready' },
    ],
    runbooks: ['api-down'],
  }),
  graph({
    title: 'Pods by phase',
    description: '`Pending`: no node has room, or an image or volume is missing. `Failed`: evicted.',
    unit: units.Short,
    width: 6,
    queries: [{ expr: sum(ofPods('kube_pod_status_phase'), 'phase'), legend: '{{phase}}' }],
    runbooks: ['api-down'],
  }),
];

const deaths = [
  stat({
    title: 'Restarts in the time shown',
    description: 'How often containers restarted. Normally never.',
    unit: units.Short,
    width: 4,
    height: 8,
    decimals: 0,
    thresholds: [
      [1, 'orange'],
      [5, 'red'],
    ],
    queries: [{ expr: sum(increase(restarts, '$__range')), legend: 'restarts' }],
    runbooks: ['crash-looping'],
  }),
  graph({
    title: 'Restarts',
    description: 'Restarts of containers, by pod, since the pod was created.',
    unit: units.Short,
    width: 7,
    queries: [{ expr: sum(restarts, 'pod'), legend: each }],
    runbooks: ['crash-looping'],
  }),
  graph({
    title: 'Last killed for memory (OOM)',
    description:
      '1: the container was last killed because it exceeded its memory limit. Raise the limit, or find the leak.',
    unit: units.Short,
    width: 7,
    queries: [
      { expr: inState('kube_pod_container_status_last_terminated_reason', 'OOMKilled'), legend: each },
    ],
    runbooks: ['crash-looping'],
  }),
  graph({
    title: 'Crash loops',
    description:
      '1: the container crashes again and again, and the kubelet waits longer before each restart.',
    unit: units.Short,
    width: 6,
    queries: [
      { expr: inState('kube_pod_container_status_waiting_reason', 'CrashLoopBackOff'), legend: each },
    ],
    runbooks: ['crash-looping'],
  }),
];

const cpuRate = sum(rate(ofContainers('container_cpu_usage_seconds_total')), 'pod');
const asked = (kind: 'requests' | 'limits', resource: string) =>
  sum(ofPods(`kube_pod_container_resource_${kind}`, `resource="${resource}"`), 'pod');

const resources = [
  graph({
    title: 'CPU',
    description: 'CPU cores that each pod uses.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: cpuRate, legend: each }],
  }),
  graph({
    title: 'CPU against the request',
    description:
      'Above 100 % a pod depends on CPU that other pods do not use, so it may become slow at any time. The autoscaler uses the same value.',
    unit: units.PercentUnit,
    width: 8,
    thresholds: [[1, 'orange']],
    queries: [{ expr: `${cpuRate} / (${asked('requests', 'cpu')} > 0)`, legend: each }],
    runbooks: ['autoscaler-at-maximum'],
  }),
  graph({
    title: 'CPU throttled',
    description:
      'Share of periods in which the CPU limit throttled a pod. The chart sets no limit, so this is zero unless somebody sets one.',
    unit: units.PercentUnit,
    width: 8,
    max: 1,
    thresholds: [[0.05, 'orange']],
    queries: [
      {
        expr: `${sum(rate(ofContainers('container_cpu_cfs_throttled_periods_total')), 'pod')} / (${sum(rate(ofContainers('container_cpu_cfs_periods_total')), 'pod')} > 0) or ${cpuRate} * 0`,
        legend: each,
      },
    ],
    runbooks: ['event-loop-slow'],
  }),
  graph({
    title: 'Memory',
    description: 'Memory of each pod that can not be reclaimed: what the limit counts.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: sum(ofContainers('container_memory_working_set_bytes'), 'pod'), legend: each }],
  }),
  graph({
    title: 'Memory against the limit',
    description: 'At 100 % the container is killed.',
    unit: units.PercentUnit,
    width: 8,
    max: 1,
    thresholds: [[0.9, 'red']],
    queries: [
      {
        expr: `${sum(ofContainers('container_memory_working_set_bytes'), 'pod')} / (${asked('limits', 'memory')} > 0)`,
        legend: each,
      },
    ],
    runbooks: ['crash-looping'],
  }),
  graph({
    title: 'Pods by node',
    description: 'Number of pods on each node. If all are on one node, the service goes down with it.',
    unit: units.Short,
    width: 8,
    isStacked: true,
    queries: [{ expr: count(ofPods('kube_pod_info'), 'node'), legend: '{{node}}' }],
  }),
];

/** Also on the database dashboard. */
export const volumeFill = (): Builder<Panel> => {
  const claims = 'persistentvolumeclaim=~"(data-)?$job-(postgres-.+|backup)"';
  const ofClaims = (name: string) =>
    max(ofCluster(`kubelet_volume_stats_${name}`, claims), 'persistentvolumeclaim');
  return graph({
    title: 'Fill of the volumes',
    description:
      'Used share of each volume of Postgres and its backups. A full volume stops all writes: enlarge it before that.',
    unit: units.PercentUnit,
    width: 24,
    max: 1,
    thresholds: [
      [0.85, 'orange'],
      [0.95, 'red'],
    ],
    queries: [
      {
        expr: `1 - ${ofClaims('available_bytes')} / (${ofClaims('capacity_bytes')} > 0)`,
        legend: '{{persistentvolumeclaim}}',
      },
    ],
    runbooks: ['volume-filling'],
  });
};

export const kubernetes = board({
  name: 'kubernetes',
  title: 'Kubernetes',
  description: 'The cluster around the service, from kube-state-metrics, the kubelet and cAdvisor.',
  sections: [
    { title: 'Scaling', panels: scaling },
    { title: 'Restarts', panels: deaths },
    { title: 'Resources', panels: resources },
    { title: 'Volumes', panels: [volumeFill()] },
  ],
});
