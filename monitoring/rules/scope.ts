/** Whose series the rules are about. */
export interface Scope {
  /** The release: the job of its API, and what the names of its objects begin with. */
  readonly release: string;
  /** Its namespace; undefined: of whatever namespace. */
  readonly namespace?: string;
  /** What the address of a runbook begins with. */
  readonly runbooks: string;
}

/** For a Prometheus that is configured by hand, as compose's is: one job, whatever its namespace is called. */
export const anywhere: Scope = { release: 'task-api', runbooks: 'docs/runbooks' };

/** For the chart, which puts a release's own names there: two releases would else tell each other's alerts. */
export const ofRelease: Scope = {
  release: '__RELEASE__',
  namespace: '__NAMESPACE__',
  runbooks: '__RUNBOOKS__',
};

/** Matchers of the API's own series. */
export const apiOf = ({ release, namespace }: Scope): string => `${within(namespace)}job="${release}"`;

/** Matchers of the cluster's series (kube-state-metrics, the kubelet), to be followed by some of their own. */
export const clusterOf = ({ namespace }: Scope): string => within(namespace);

const within = (namespace: string | undefined): string =>
  namespace === undefined ? '' : `namespace="${namespace}",`;
