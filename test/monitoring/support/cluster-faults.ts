import { api, clusterNamespace as namespace } from './cluster-release.js';
import type { Fault } from './faults.js';
import { fillSmallVolume } from './small-volume.js';

/** Faults that only a cluster can have. */
export const clusterFaults: readonly Fault[] = [
  {
    what: 'a volume gets full',
    alerts: ['TaskApiVolumeFilling', 'TaskApiVolumeAlmostFull'],
    inject: async () => {
      await fillSmallVolume(namespace, 97);
      return () => fillSmallVolume(namespace, 20);
    },
  },
  {
    what: 'the autoscaler wants more pods than it may have',
    alerts: ['TaskApiAutoscalerAtMaximum'],
    inject: async () => {
      // Pods always use more than this.
      await scaleOnMemory(1);
      return () => scaleOnMemory(1000);
    },
  },
  {
    what: 'new pods have too little memory to start in, and the kernel ends them (OOM)',
    alerts: ['TaskApiCrashLooping'],
    inject: async () => {
      await giveMemory('32Mi');
      return async () => {
        await namespace.kubectl(['rollout', 'undo', `deployment/${api}`]);
      };
    },
  },
];

/** Target utilisation, in percent of the requests. Pods are removed at once, not after the chart's three minutes. */
async function scaleOnMemory(averageUtilization: number): Promise<void> {
  const target = { type: 'Utilization', averageUtilization };
  const spec = {
    metrics: [{ type: 'Resource', resource: { name: 'memory', target } }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  };
  await namespace.kubectl(['patch', 'hpa', api, '--type=merge', '--patch', JSON.stringify({ spec })]);
}

async function giveMemory(memory: string): Promise<void> {
  const resources = [`--requests=memory=${memory}`, `--limits=memory=${memory}`];
  await namespace.kubectl(['set', 'resources', `deployment/${api}`, '--containers=api', ...resources]);
}
