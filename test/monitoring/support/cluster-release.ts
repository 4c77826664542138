import { Namespace } from '../../cluster/support/kube.js';
import { Release } from '../../cluster/support/release.js';
import { startClusterSeries } from './cluster-series.js';
import { fillSmallVolume, makeSmallVolume } from './small-volume.js';

/** The namespace of the series. It is removed at the start and at the end. */
export const clusterNamespace = new Namespace('test-monitoring');

/** The Deployment and the autoscaler of the API. */
export const api = `${Release.fullname}-api`;

const values = {
  api: {
    // With a CPU limit, although the chart advises against one: without it the kernel counts no throttling.
    resources: { requests: { cpu: '250m', memory: '320Mi' }, limits: { cpu: '1', memory: '320Mi' } },
    // It scales only when a test changes it.
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
  /** Port on loopback of the scrape target with its series. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Installs a small release, for series of its pods, autoscaler and volumes, and one more volume. Everything is removed at the end. */
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
