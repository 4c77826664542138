/** The parts of Kubernetes objects that the tests use. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly spec?: Spec;
  readonly data?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

export interface Spec {
  readonly replicas?: number;
  readonly podManagementPolicy?: string;
  readonly template?: PodTemplate;
  readonly jobTemplate?: { readonly spec: { readonly template: PodTemplate } };
  readonly podSelector?: Selector;
  readonly selector?: Selector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
  readonly scaleTargetRef?: { readonly name: string };
  readonly minReplicas?: number;
  readonly metrics?: readonly { readonly type: string }[];
  readonly volumeClaimTemplates?: readonly unknown[];
}

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly unknown[];
}

/** Of a NetworkPolicy. */
export interface Rule {
  readonly from?: readonly Readonly<Record<string, unknown>>[];
  readonly to?: readonly Readonly<Record<string, unknown>>[];
  readonly ports?: readonly unknown[];
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
  readonly spec: PodSpec;
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly restartPolicy?: string;
  readonly priorityClassName?: string;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: SecurityContext;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

export interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly seccompProfile?: { readonly type: string };
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels };
  readonly securityContext?: SecurityContext;
  readonly startupProbe?: { readonly periodSeconds: number; readonly failureThreshold: number };
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
}

/** A pod that a manifest creates. */
export interface Pod {
  readonly owner: string;
  readonly kind: string;
  readonly labels: Labels;
  readonly spec: PodSpec;
}

export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap((manifest) => {
    const { kind, metadata, spec } = manifest;
    const owner = `${kind} ${metadata.name}`;
    if (kind === 'Pod')
      return [{ owner, kind, labels: metadata.labels ?? {}, spec: spec as unknown as PodSpec }];
    const template = spec?.jobTemplate?.spec.template ?? spec?.template;
    // The template in CloudNativePG's Pooler is only a patch of the operator's own template.
    if (!template?.spec.containers || kind === 'Pooler') return [];
    return [{ owner, kind, labels: template.metadata.labels, spec: template.spec }];
  });
}

export const containersOf = (pod: Pod): Container[] => [
  ...(pod.spec.initContainers ?? []),
  ...pod.spec.containers,
];

export function matches({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  if (matchExpressions.length > 0) throw new Error('The tests know no matchExpressions.');
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}

export const ofKind = (manifests: readonly Manifest[], kind: string): Manifest[] =>
  manifests.filter((manifest) => manifest.kind === kind);

export function theOne(manifests: readonly Manifest[], kind: string, ending = ''): Manifest {
  const found = ofKind(manifests, kind).filter(({ metadata }) => metadata.name.endsWith(ending));
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} of ${kind} …${ending}`);
  return first;
}
