import { metricOf, selectorsOf } from './selectors.js';

/** Set by `--without-cluster`: tests that need the cluster's series are reported as skipped. */
export const isWithoutCluster = process.env['MONITORING_WITHOUT_CLUSTER'] === 'true';

/** Metrics of kube-state-metrics, the kubelet and cAdvisor. */
const clusterMetric = /^(kube|kubelet|container)_/;

export const isOfCluster = (selector: string): boolean => clusterMetric.test(metricOf(selector));

export const needsCluster = ({ expr }: { readonly expr: string }): boolean =>
  selectorsOf(expr).some(isOfCluster);
