import { waitFor, type WaitOptions } from '../../support/wait.js';
import { run, type CommandOptions } from './command.js';

/** The parts of a Kubernetes object that the tests read. */
export interface KubeObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly replicas?: number; readonly clusterIP?: string; readonly nodeName?: string };
  readonly status: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly observedGeneration?: number;
    readonly succeeded?: number;
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly ready: boolean }[];
  };
  readonly data?: Readonly<Record<string, string>>;
}

/** Components that must not restart by accident. */
export const databases = ['postgres-primary', 'postgres-replica'] as const;

const zeroToAny = { timeoutMs: 240_000, intervalMs: 1000 };

/** A namespace for the tests only, which enforces the restricted Pod Security Standard. */
export class Namespace {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  static async create(name: string): Promise<Namespace> {
    const namespace = new Namespace(name);
    await namespace.remove();
    await namespace.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      }),
    );
    return namespace;
  }

  /** Deletes it and waits until everything in it is gone. */
  async remove(): Promise<void> {
    await run('kubectl', ['delete', 'namespace', this.name, '--ignore-not-found', '--timeout=240s']);
  }

  kubectl(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return run('kubectl', ['--namespace', this.name, ...args], options);
  }

  apply(manifest: string): Promise<string> {
    return this.kubectl(['apply', '--filename', '-'], { input: manifest });
  }

  async get(kind: string, name: string): Promise<KubeObject> {
    return JSON.parse(await this.kubectl(['get', kind, name, '--output', 'json'])) as KubeObject;
  }

  async list(kind: string, selector = ''): Promise<readonly KubeObject[]> {
    const args = ['get', kind, '--output', 'json', ...(selector === '' ? [] : ['--selector', selector])];
    return (JSON.parse(await this.kubectl(args)) as { items: KubeObject[] }).items;
  }

  pods(component: string): Promise<readonly KubeObject[]> {
    return this.list('pods', `app.kubernetes.io/component=${component}`);
  }

  /** The pods and start times of these components: equal before and after if nothing was restarted. */
  async lives(...components: readonly string[]): Promise<readonly string[]> {
    const pods = (await Promise.all(components.map((component) => this.pods(component)))).flat();
    return pods.map(
      ({ metadata, status }) =>
        `${metadata.name} ${metadata.uid} ${status.containerStatuses?.map((each) => each.restartCount).join() ?? ''}`,
    );
  }

  /** Every Secret with its content, except those in which Helm stores its releases. */
  async secrets(): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
    const secrets = (await this.list('secrets')).filter(
      ({ metadata }) => metadata.labels?.['owner'] !== 'helm',
    );
    return Object.fromEntries(secrets.map(({ metadata, data }) => [metadata.name, data ?? {}]));
  }

  /** Waits until a Deployment or StatefulSet has all its pods in the latest version. */
  async rolledOut(resource: string): Promise<void> {
    await this.kubectl(['rollout', 'status', resource, '--timeout=240s']);
  }

  /** Waits until the previous pods are gone: a terminating pod still gets requests until all nodes know that it ends. */
  async leftAlone(component: string): Promise<void> {
    await this.waitFor('the old pods to go', async () =>
      (await this.pods(component)).every(({ metadata }) => metadata.deletionTimestamp === undefined),
    );
  }

  /** Runs a program in a container and returns its output. */
  exec(pod: string, command: readonly string[], options: CommandOptions = {}): Promise<string> {
    return this.kubectl(['exec', '--stdin', pod, '--', ...command], options);
  }

  waitFor<T>(what: string, condition: () => Promise<T>, options: WaitOptions = {}): Promise<unknown> {
    return waitFor(condition, { ...zeroToAny, ...options, what });
  }
}
