import type { Namespace } from './kube.js';

export interface From {
  readonly namespace: Namespace;
  readonly pod: string;
}

interface Program {
  readonly image: string;
  readonly command: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  /** Secrets and the folders at which they are mounted. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Creates a pod that belongs to no release and satisfies the restricted profile; waits until it runs. */
export async function startPod(
  namespace: Namespace,
  name: string,
  { secrets = {}, ...program }: Program,
): Promise<void> {
  const container = {
    name,
    ...program,
    volumeMounts: Object.entries(secrets).map(([secret, mountPath]) => ({ name: secret, mountPath })),
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const spec = {
    containers: [container],
    volumes: Object.keys(secrets).map((secretName) => ({ name: secretName, secret: { secretName } })),
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    securityContext: { runAsNonRoot: true, runAsUser: 999, seccompProfile: { type: 'RuntimeDefault' } },
  };
  const metadata = { name, labels: { app: name } };
  await namespace.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec }));
  await namespace.kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=120s']);
}

/** Creates a pod that listens on port 8080 and has bash, to test connections from it. */
export function startProbe(namespace: Namespace, name: string): Promise<void> {
  const options = ['--port', '8080', '--save', '', '--protected-mode', 'no', '--dir', '/tmp'];
  return startPod(namespace, name, { image: 'redis:7-bookworm', command: ['redis-server', ...options] });
}

/** Whether that pod can connect to `HOST PORT` within 2 s. */
export async function probeFrom({ namespace, pod }: From, target: string): Promise<'open' | 'closed'> {
  const [host = '', port = ''] = target.split(' ');
  const script = 'timeout 2 bash -c "exec 3<>/dev/tcp/$0/$1" 2>/dev/null && echo open || echo closed';
  const answer = (await namespace.exec(pod, ['bash', '-c', script, host, port])).trim();
  if (answer !== 'open' && answer !== 'closed') throw new Error(`Neither open nor closed: ${answer}`);
  return answer;
}
