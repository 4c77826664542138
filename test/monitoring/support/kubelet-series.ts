import type { Sample } from './exposition.js';
import type { Pod } from './state-series.js';

/** The metrics of the kubelet, and of the cAdvisor in it, that rules and dashboards use. */
export const kubeletNames: ReadonlySet<string> = new Set([
  'kubelet_volume_stats_used_bytes',
  'kubelet_volume_stats_capacity_bytes',
  'kubelet_volume_stats_available_bytes',
  'container_cpu_usage_seconds_total',
  'container_cpu_cfs_periods_total',
  'container_cpu_cfs_throttled_periods_total',
  'container_memory_working_set_bytes',
]);

/** A node's series of one namespace, with the node's name as a label. */
export function kubeletSeries(
  samples: readonly Sample[],
  {
    node,
    namespace,
    pods,
  }: { readonly node: string; readonly namespace: string; readonly pods: readonly Pod[] },
): readonly Sample[] {
  return samples
    .map((sample) => withNames(sample, pods))
    .filter(({ labels }) => labels['namespace'] === namespace)
    .map((sample) => ({ ...sample, labels: { ...sample.labels, node } }));
}

/**
 * cAdvisor takes the names of pod and container from the labels of the runtime. If it cannot reach the runtime (it tries only
 * containerd's default address), it knows only the cgroup, whose path contains ids that the API server knows.
 */
function withNames(sample: Sample, pods: readonly Pod[]): Sample {
  const { id, namespace = '' } = sample.labels;
  if (id === undefined || namespace !== '') return sample;
  const [, uid = '', container = ''] = /\/pod([0-9a-f_-]{36})(?:\/([0-9a-f]{64}))?$/.exec(id) ?? [];
  const pod = pods.find(({ metadata }) => metadata.uid === uid.replaceAll('_', '-'));
  if (pod === undefined) return sample;
  const name = container === '' ? '' : nameOf(container, pod);
  if (name === undefined) return sample;
  return {
    ...sample,
    labels: { ...sample.labels, namespace: pod.metadata.namespace, pod: pod.metadata.name, container: name },
  };
}

const nameOf = (id: string, { status }: Pod): string | undefined =>
  status.containerStatuses?.find(({ containerID = '' }) => containerID.endsWith(`/${id}`))?.name;
