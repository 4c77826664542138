import type { Namespace } from '../../cluster/support/kube.js';

/** The name that the chart would give the volume of one more replica, so that the rules treat it as a Postgres volume. */
export const smallClaim = 'data-task-api-postgres-replica-9';

const sizeMiB = 64;
const disk = 'small-disk';
const writer = 'small-disk-writer';

const container = {
  image: 'redis:7-bookworm',
  imagePullPolicy: 'IfNotPresent',
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
} as const;

const podSpec = {
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 0,
  securityContext: { runAsNonRoot: true, runAsUser: 999, seccompProfile: { type: 'RuntimeDefault' } },
} as const;

/**
 * Creates a claim of a volume of 64 MiB: a memory volume of an otherwise idle pod, which its node mounts as a file system of that
 * size. Everything is removed with the namespace.
 */
export async function makeSmallVolume(namespace: Namespace): Promise<void> {
  await startPod(namespace, disk, {
    ...podSpec,
    containers: [{ ...container, name: disk, command: ['sleep', 'infinity'], volumeMounts: [mountOf(disk)] }],
    volumes: [{ name: disk, emptyDir: { medium: 'Memory', sizeLimit: `${sizeMiB}Mi` } }],
  });
  const [pod, owner] = [await namespace.get('pod', disk), await namespace.get('namespace', namespace.name)];
  const capacity = { storage: `${sizeMiB}Mi` };
  const name = `${disk}-${pod.metadata.uid}`;
  const ways = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  const node = { key: 'kubernetes.io/hostname', operator: 'In', values: [pod.spec.nodeName] };
  await apply(namespace, 'PersistentVolume', {
    metadata: {
      name,
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Namespace', name: namespace.name, uid: owner.metadata.uid },
      ],
    },
    spec: {
      ...ways,
      capacity,
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: await pathOnNode(namespace) },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [node] }] } },
    },
  });
  await apply(namespace, 'PersistentVolumeClaim', {
    metadata: { name: smallClaim },
    spec: { ...ways, volumeName: name, resources: { requests: capacity } },
  });
}

/**
 * Fills or empties the volume to that level, in a new pod: the kubelet measures the volumes of a new pod within a minute, those of
 * a known pod within two.
 */
export async function fillSmallVolume(namespace: Namespace, percent: number): Promise<void> {
  await namespace.kubectl(['delete', 'pod', writer, '--ignore-not-found', '--timeout=60s']);
  const bytes = Math.round((sizeMiB * 2 ** 20 * percent) / 100);
  const command = ['bash', '-c', `head -c ${bytes} /dev/zero >/${disk}/data && exec sleep infinity`];
  await startPod(namespace, writer, {
    ...podSpec,
    containers: [{ ...container, name: writer, command, volumeMounts: [mountOf(disk)] }],
    volumes: [{ name: disk, persistentVolumeClaim: { claimName: smallClaim } }],
  });
}

/**
 * The folder of the pod's memory volume on its node. It is found relative to the pod's /etc/hosts, which the kubelet also mounts
 * and whose source the kernel reports. So it must be on the node's root file system.
 */
async function pathOnNode(namespace: Namespace): Promise<string> {
  const mounts = await namespace.exec(disk, ['cat', '/proc/self/mountinfo']);
  const hosts = mounts.split('\n').find((line) => line.split(' ')[4] === '/etc/hosts');
  const folder = hosts?.split(' ')[3]?.replace(/\/etc-hosts$/, '');
  if (folder === undefined) throw new Error(`The kubelet's folder is not among the mounts:\n${mounts}`);
  return `${folder}/volumes/kubernetes.io~empty-dir/${disk}`;
}

async function startPod(namespace: Namespace, name: string, spec: object): Promise<void> {
  await apply(namespace, 'Pod', { metadata: { name }, spec });
  await namespace.kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=90s']);
}

const apply = (namespace: Namespace, kind: string, object: object): Promise<string> =>
  namespace.apply(JSON.stringify({ apiVersion: 'v1', kind, ...object }));

const mountOf = (name: string): object => ({ name, mountPath: `/${name}` });
