import { metricOf, selectorsOf } from './selectors.js';

/** Told to do without: what needs the cluster's series is skipped, and seen to be. */
export const isWithoutCluster = process.env['MONITORING_WITHOUT_CLUSTER'] === 'true';

/** By kube-state-metrics, the kubelet and cAdvisor. */
const clusterMetric = /^(kube|kubelet|container)_/;

export const isOfCluster = (selector: string): boolean => clusterMetric.test(metricOf(selector));

interface Expression {
  readonly expr: string;
}
/** It says something of its own without the cluster, or nothing at all. */
export const needsCluster = ({ expr }: Expression): boolean => selectorsOf(expr).some(isOfCluster);
export const isOnlyOfCluster = ({ expr }: Expression): boolean => selectorsOf(expr).every(isOfCluster);
