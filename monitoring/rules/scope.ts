/** The series that the rules cover. */
export interface Scope {
  /** The release: the job label of its API, and the prefix of its objects' names. */
  readonly release: string;
  /** Its namespace; undefined: any namespace. */
  readonly namespace?: string;
  /** The base URL of the runbooks. */
  readonly runbooks: string;
}

/** For a Prometheus that is configured by hand, as in compose.yaml: one job in any namespace. */
export const anywhere: Scope = { release: 'task-api', runbooks: 'docs/runbooks' };

/** For the chart, which inserts the names of the release; otherwise each of two releases would also raise the other's alerts. */
export const ofRelease: Scope = {
  release: '__RELEASE__',
  namespace: '__NAMESPACE__',
  runbooks: '__RUNBOOKS__',
};

/** Label matchers of the API's own series. */
export const apiOf = ({ release, namespace }: Scope): string => `${within(namespace)}job="${release}"`;

/** Label matchers of the cluster's series (kube-state-metrics, the kubelet), to be followed by further matchers. */
export const clusterOf = ({ namespace }: Scope): string => within(namespace);

const within = (namespace: string | undefined): string =>
  namespace === undefined ? '' : `namespace="${namespace}",`;
