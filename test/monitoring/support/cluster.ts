import { metricOf, selectorsOf } from './selectors.js';

/** Told to do without: what needs the cluster's series is skipped, and seen to be. */
export const isWithoutCluster = process.env['MONITORING_WITHOUT_CLUSTER'] === 'true';

/** By kube-state-metrics, the kubelet and cAdvisor. */
const clusterMetric = /^(kube|kubelet|container)_/;

export const isOfCluster = (selector: string): boolean => clusterMetric.test(metricOf(selector));

export const needsCluster = ({ expr }: { readonly expr: string }): boolean =>
  selectorsOf(expr).some(isOfCluster);
