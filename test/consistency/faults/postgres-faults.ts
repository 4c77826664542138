import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresNode } from '../../support/replicated-postgres.js';
import type { Databases } from '../cluster/databases.js';
import { instantly, type Fault } from './nemesis.js';

const delayMs = 2000;

interface Choice {
  readonly name: string;
  readonly touches: readonly string[];
  pick(): readonly PostgresNode[];
}

/** Faults of the replicas. Which servers are replicas may change between two faults, but not during one. */
export function replicaFaults(databases: Databases): readonly Fault[] {
  const [first, second] = [named(databases, 'replica 1'), named(databases, 'replica 2')];
  const choices: readonly Choice[] = [
    { name: first, touches: [first], pick: () => databases.replicas.slice(0, 1) },
    { name: second, touches: [second], pick: () => databases.replicas.slice(1) },
    {
      name: named(databases, 'both replicas'),
      touches: [first, second, 'start'],
      pick: () => databases.replicas,
    },
  ];
  return choices.flatMap(faultsOf);
}

/** Where there are several databases, with the part of the features that each has. */
const named = ({ part }: Databases, server: string): string =>
  part === null ? server : `${server} of ${part}`;

function faultsOf({ name, touches, pick }: Choice): readonly Fault[] {
  const common = { weight: 0.5, touches };
  const each = (act: (node: PostgresNode) => Promise<void>) => async (): Promise<void> => {
    await Promise.all(pick().map(act));
  };
  return [
    {
      ...common,
      name: `pause the replay of ${name}`,
      holdMs: [1000, 6000],
      apply: each((node) => node.pauseReplay()),
      heal: each((node) => node.resumeReplay()),
    },
    {
      ...common,
      name: `delay ${name}`,
      holdMs: [3000, 8000],
      apply: each((node) => node.setApplyDelay(delayMs)),
      heal: each((node) => node.setApplyDelay(0)),
    },
    {
      ...common,
      name: `kill ${name}`,
      holdMs: [500, 5000],
      apply: each((node) => node.kill()),
      heal: each((node) => node.start()),
    },
    {
      ...common,
      name: `stop ${name}`,
      holdMs: [1000, 5000],
      apply: instantly(() => pick().forEach((node) => node.pause())),
      heal: instantly(() => pick().forEach((node) => node.resume())),
    },
  ];
}

/** Faults of the primary. A promotion loses no commits only if commits wait for a replica. */
export function primaryFaults(databases: Databases): readonly Fault[] {
  const servers = ['primary', 'replica 1', 'replica 2'].map((server) => named(databases, server));
  const touches = [...servers, 'start'];
  return [
    {
      name: named(databases, 'promote'),
      weight: 0.7,
      touches,
      holdMs: [0, 2000],
      apply: () => databases.primary.kill(),
      heal: () => databases.failOver(),
    },
    {
      name: named(databases, 'promote while the primary is silent'),
      weight: 0.5,
      touches,
      holdMs: [1000, 4000],
      apply: instantly(() => databases.primary.pause()),
      heal: async () => {
        const old = databases.primary;
        await databases.promoteBest();
        // It does not know of that yet.
        old.resume();
        await sleep(1500);
        await old.follow(databases.primary);
      },
    },
    {
      name: named(databases, 'stop the primary'),
      weight: 0.4,
      touches: [named(databases, 'primary'), 'start'],
      holdMs: [500, 6000],
      apply: instantly(() => databases.primary.pause()),
      heal: instantly(() => databases.primary.resume()),
    },
  ];
}
