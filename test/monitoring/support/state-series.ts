import type { Sample } from './exposition.js';

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
}

export interface Autoscaler {
  readonly metadata: Metadata;
  readonly spec: { readonly minReplicas?: number; readonly maxReplicas: number };
  readonly status: { readonly currentReplicas?: number; readonly desiredReplicas?: number };
}

export interface Deployment {
  readonly metadata: Metadata;
  readonly spec: { readonly replicas: number };
  readonly status: { readonly availableReplicas?: number };
}

type Quantities = Readonly<Record<string, string>>;

interface ContainerStatus {
  readonly name: string;
  readonly containerID?: string;
  readonly restartCount: number;
  readonly state?: { readonly waiting?: { readonly reason: string } };
  readonly lastState?: { readonly terminated?: { readonly reason: string } };
}

export interface Pod {
  readonly metadata: Metadata;
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
    }[];
  };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly hostIP?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface ClusterState {
  readonly autoscalers: readonly Autoscaler[];
  readonly deployments: readonly Deployment[];
  readonly pods: readonly Pod[];
}

/**
 * The series that kube-state-metrics derives from these objects, with its names and labels, as far as rules and dashboards use them.
 * https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics
 */
export function stateSeries({ autoscalers, deployments, pods }: ClusterState): readonly Sample[] {
  return [
    ...autoscalers.flatMap(ofAutoscaler),
    ...deployments.flatMap(ofDeployment),
    ...pods.flatMap((pod) => [...ofPod(pod), ...ofContainers(pod), ...ofResources(pod)]),
  ];
}

function ofAutoscaler({ metadata: { name, namespace }, spec, status }: Autoscaler): readonly Sample[] {
  const labels = { namespace, horizontalpodautoscaler: name };
  const figures = {
    status_current_replicas: status.currentReplicas ?? 0,
    status_desired_replicas: status.desiredReplicas ?? 0,
    spec_max_replicas: spec.maxReplicas,
    spec_min_replicas: spec.minReplicas ?? 1,
  };
  return Object.entries(figures).map(([figure, value]) => ({
    name: `kube_horizontalpodautoscaler_${figure}`,
    labels,
    value,
  }));
}

function ofDeployment({ metadata: { name, namespace }, spec, status }: Deployment): readonly Sample[] {
  const labels = { namespace, deployment: name };
  return [
    { name: 'kube_deployment_spec_replicas', labels, value: spec.replicas },
    { name: 'kube_deployment_status_replicas_available', labels, value: status.availableReplicas ?? 0 },
  ];
}

const phases = ['Pending', 'Succeeded', 'Failed', 'Unknown', 'Running'] as const;

function ofPod({ metadata, spec, status }: Pod): readonly Sample[] {
  const [owner] = metadata.ownerReferences ?? [];
  const info = {
    ...labelsOf(metadata),
    host_ip: status.hostIP ?? '',
    pod_ip: status.podIP ?? '',
    node: spec.nodeName ?? '',
    created_by_kind: owner?.kind ?? '',
    created_by_name: owner?.name ?? '',
  };
  return [
    { name: 'kube_pod_info', labels: info, value: 1 },
    ...phases.map((phase) => ({
      name: 'kube_pod_status_phase',
      labels: { ...labelsOf(metadata), phase },
      value: Number(status.phase === phase),
    })),
  ];
}

function ofContainers({ metadata, status }: Pod): readonly Sample[] {
  return (status.containerStatuses ?? []).flatMap(({ name, restartCount, state, lastState }) => {
    const labels = { ...labelsOf(metadata), container: name };
    const reasons = {
      waiting_reason: state?.waiting?.reason,
      last_terminated_reason: lastState?.terminated?.reason,
    };
    return [
      { name: 'kube_pod_container_status_restarts_total', labels, value: restartCount },
      ...Object.entries(reasons).flatMap(([series, reason]) =>
        reason === undefined
          ? []
          : [{ name: `kube_pod_container_status_${series}`, labels: { ...labels, reason }, value: 1 }],
      ),
    ];
  });
}

const units: Readonly<Record<string, string>> = { cpu: 'core', memory: 'byte' };

function ofResources({ metadata, spec }: Pod): readonly Sample[] {
  return spec.containers.flatMap(({ name: container, resources = {} }) =>
    Object.entries({ requests: resources.requests ?? {}, limits: resources.limits ?? {} }).flatMap(
      ([kind, amounts]) =>
        Object.entries(amounts).map(([resource, amount]) => ({
          name: `kube_pod_container_resource_${kind}`,
          labels: {
            ...labelsOf(metadata),
            container,
            node: spec.nodeName ?? '',
            resource: resource.replaceAll(/[^\w]/g, '_'),
            unit: units[resource] ?? 'byte',
          },
          value: quantity(amount),
        })),
    ),
  );
}

const labelsOf = ({ namespace, name, uid }: Metadata): Readonly<Record<string, string>> => ({
  namespace,
  pod: name,
  uid,
});

const factors: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Parses a quantity: `250m`, `512Mi`, `1`. @throws Error if it is none. */
export function quantity(text: string): number {
  const [, number, unit = ''] = /^([\d.]+)([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = factors[unit];
  if (number === undefined || factor === undefined) throw new Error(`${text} is no quantity.`);
  return Number(number) * factor;
}
