import { Namespace } from '../../cluster/support/kube.js';
import { Release } from '../../cluster/support/release.js';
import { startClusterSeries } from './cluster-series.js';
import { fillSmallVolume, makeSmallVolume } from './small-volume.js';

/** What the series tell of, and what is removed at the start and at the end. */
export const clusterNamespace = new Namespace('test-monitoring');

/** The Deployment and the autoscaler of the API. */
export const api = `${Release.fullname}-api`;

const values = {
  api: {
    // Small, yet a CPU limit, which the chart advises against: without one the kernel counts no throttling.
    resources: { requests: { cpu: '250m', memory: '320Mi' }, limits: { cpu: '1', memory: '320Mi' } },
    // It scales when a test tells it to.
    autoscaling: {
      minReplicas: 1,
      maxReplicas: 2,
      targetCPUUtilization: 1000,
      targetMemoryUtilization: 1000,
    },
    preStopSeconds: 1,
  },
  postgres: {
    bundled: {
      replicas: 1,
      storage: { size: '1Gi' },
      resources: { requests: { cpu: '50m', memory: '256Mi' } },
    },
  },
  redis: {
    bundled: { resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '256Mi' } } },
  },
};

export interface WatchedCluster {
  /** Of the target that tells of it, on loopback. */
  readonly port: number;
  stop(): Promise<void>;
}

/** A small release whose pods, autoscaler and volumes the cluster tells of, and one volume more. All is removed at the end. */
export async function startWatchedCluster(): Promise<WatchedCluster> {
  await Namespace.create(clusterNamespace.name);
  const remove = (): Promise<void> => clusterNamespace.remove();
  try {
    await Promise.all([
      new Release(clusterNamespace).install({ values }),
      makeSmallVolume(clusterNamespace).then(() => fillSmallVolume(clusterNamespace, 20)),
    ]);
    const series = await startClusterSeries(clusterNamespace.name);
    return { port: series.port, stop: () => series.stop().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
