/**
 * The process of the attacker of `worst-user`: sends its calls, twelve at once, until it is told to stop. It has the lowest
 * priority, because what it needs itself is not taken from the service where it runs on a machine of its own.
 */
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from './caller.js';

export interface AttackCall {
  readonly method: string;
  readonly path: string;
  /** Empty: none. */
  readonly token: string;
  readonly raw?: string;
}

interface Order {
  readonly url: string;
  /** Where it calls from. */
  readonly from: string;
  readonly calls: readonly AttackCall[];
}

const atOnce = 12;
/** Told to wait, it tries again after this. */
const blockedMs = 100;

setPriority(19);
const statuses: Record<string, number> = {};
let isOver = false;
process.on('message', (message: Order | 'stop') => {
  if (message === 'stop') isOver = true;
  else void attack(message).then(() => process.send?.(statuses));
});

async function attack({ url, from, calls }: Order): Promise<void> {
  const caller = new Caller(url, from);
  const ready = calls.map(({ raw, ...call }) => ({
    ...call,
    ...(raw !== undefined && { raw: Buffer.from(raw) }),
  }));
  let next = 0;
  const repeat = async (): Promise<void> => {
    while (!isOver) {
      const call = ready[next++ % ready.length];
      if (call === undefined) return;
      const status = await caller.send(call);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status === 429) await sleep(blockedMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, repeat));
  caller.close();
}
