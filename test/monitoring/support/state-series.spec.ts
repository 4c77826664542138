import { expositionOf, samplesOf } from './exposition.js';
import { kubeletNames, kubeletSeries } from './kubelet-series.js';
import { quantity, stateSeries, type Pod } from './state-series.js';

const uid = '6a0c0c9e-2f5c-4c9f-9d53-0f6f1a1a7c11';
const containerId = 'c'.repeat(64);

/** A pod whose new version cannot start, as the API server returns it. */
const pod: Pod = {
  metadata: {
    name: 'task-api-api-1',
    namespace: 'tasks',
    uid,
    ownerReferences: [{ kind: 'ReplicaSet', name: 'task-api-api' }],
  },
  spec: {
    nodeName: 'node-1',
    containers: [
      { name: 'api', resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '1Gi' } } },
    ],
  },
  status: {
    phase: 'Running',
    podIP: '10.0.0.7',
    hostIP: '10.1.0.1',
    containerStatuses: [
      {
        name: 'api',
        containerID: `containerd://${containerId}`,
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { reason: 'OOMKilled' } },
      },
    ],
  },
};

describe('series with the names of kube-state-metrics', () => {
  it('describe a pod: its node, phase, requests, restarts and their reason', () => {
    const text = expositionOf(stateSeries({ autoscalers: [], deployments: [], pods: [pod] }));
    const own = `namespace="tasks",pod="task-api-api-1",uid="${uid}"`;
    expect(text).toContain(
      `kube_pod_info{${own},host_ip="10.1.0.1",pod_ip="10.0.0.7",node="node-1",created_by_kind="ReplicaSet",created_by_name="task-api-api"} 1\n`,
    );
    expect(text).toContain(`kube_pod_status_phase{${own},phase="Running"} 1\n`);
    expect(text).toContain(`kube_pod_status_phase{${own},phase="Pending"} 0\n`);
    const container = `${own},container="api"`;
    expect(text).toContain(
      `# TYPE kube_pod_container_status_restarts_total counter\nkube_pod_container_status_restarts_total{${container}} 3\n`,
    );
    expect(text).toContain(
      `kube_pod_container_status_waiting_reason{${container},reason="CrashLoopBackOff"} 1\n`,
    );
    expect(text).toContain(
      `kube_pod_container_status_last_terminated_reason{${container},reason="OOMKilled"} 1\n`,
    );
    expect(text).toContain(
      `kube_pod_container_resource_requests{${container},node="node-1",resource="cpu",unit="core"} 0.25\n`,
    );
    expect(text).toContain(
      `kube_pod_container_resource_limits{${container},node="node-1",resource="memory",unit="byte"} 1073741824\n`,
    );
  });

  it('describe an autoscaler and a Deployment, also before their first status', () => {
    const metadata = { name: 'task-api-api', namespace: 'tasks', uid };
    const samples = stateSeries({
      autoscalers: [{ metadata, spec: { maxReplicas: 5 }, status: {} }],
      deployments: [{ metadata, spec: { replicas: 2 }, status: {} }],
      pods: [],
    });
    expect(Object.fromEntries(samples.map(({ name, value }) => [name, value]))).toEqual({
      kube_horizontalpodautoscaler_status_current_replicas: 0,
      kube_horizontalpodautoscaler_status_desired_replicas: 0,
      kube_horizontalpodautoscaler_spec_max_replicas: 5,
      kube_horizontalpodautoscaler_spec_min_replicas: 1,
      kube_deployment_spec_replicas: 2,
      kube_deployment_status_replicas_available: 0,
    });
  });

  it.each([
    ['250m', 0.25],
    ['1', 1],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['64M', 64e6],
  ])('convert %s to %d', (text, value) => {
    expect(quantity(text)).toBe(value);
  });

  it('refuse a text that is no quantity', () => {
    expect(() => quantity('much')).toThrow('much is no quantity.');
  });
});

describe("the kubelet's series", () => {
  const place = { node: 'node-1', namespace: 'tasks', pods: [pod] };
  const of = (text: string): string =>
    expositionOf(kubeletSeries(samplesOf(text, kubeletNames), place)).replaceAll(/^#.*\n/gm, '');

  it('are limited to the namespace and the metrics in use, without timestamps', () => {
    const text = `
# HELP kubelet_volume_stats_used_bytes [ALPHA] Number of used bytes in the volume
# TYPE kubelet_volume_stats_used_bytes gauge
kubelet_volume_stats_used_bytes{namespace="tasks",persistentvolumeclaim="data"} 6.5e+07 1700000000000
kubelet_volume_stats_used_bytes{namespace="other",persistentvolumeclaim="data"} 1
kubelet_volume_stats_inodes{namespace="tasks",persistentvolumeclaim="data"} 1`;
    expect(of(text)).toBe(
      'kubelet_volume_stats_used_bytes{namespace="tasks",persistentvolumeclaim="data",node="node-1"} 65000000\n',
    );
  });

  it('get the names of pod and container from the cgroup if cAdvisor does not know them', () => {
    const line = (id: string): string =>
      `container_memory_working_set_bytes{container="",id="${id}",image="",name="",namespace="",pod=""} 7`;
    const ofPod = `/node-1/kubepods/burstable/pod${uid}`;
    const named = of(
      [`${ofPod}/${containerId}`, `${ofPod}/${'d'.repeat(64)}`, ofPod, '/'].map(line).join('\n'),
    );
    expect(named.match(/namespace="tasks",pod="task-api-api-1"/g)).toHaveLength(2);
    expect(named.match(/container="api"/g)).toHaveLength(1);
  });
});
