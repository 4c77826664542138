import type { Namespace } from '../../cluster/support/kube.js';

/** As the chart would call that of one replica more, so that the rules take it for one of Postgres'. */
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
 * A claim on a volume of 64 MiB: the memory of a pod that does nothing else, which its node has as a file system of that size. All of it
 * goes with the namespace.
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
 * Fills that much of it, or empties it to that. The kubelet looks at the volumes of a new pod within a minute, at those of one that it
 * knows in up to two: hence a new one.
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
 * The folder of the pod's memory, as its node sees it: beside the pod's /etc/hosts, which also is the kubelet's, and whose place the
 * kernel tells. So it must lie on the node's root file system.
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
