import { Deadline } from '../context/deadline.js';
import type { LastWrite, LastWrites, WriteIntent } from '../context/last-write.js';
import type { Scope } from '../context/scope.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { databaseOf, isPosition, justPast, progressOf, type Position } from '../positions/position.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import {
  ConsistencyStore,
  intentTtlMs,
  positionTtlMs,
  settleMs,
  type Beginning,
  type Limit,
  type LimitRecord,
  type Question,
} from './consistency-store.port.js';
import { SharedScript } from '../redis/shared-script.js';
import {
  announceScript,
  askScript,
  beginScript,
  finishScript,
  refundScript,
  settleScript,
} from './redis-scripts.js';

/** The hash of a scope, see `redis-scripts.ts`. All keys of a scope have it as their hash tag: one slot of a cluster. */
const keyOf = (scope: Scope): string => `{${scope}}:notes`;

/** Channel of `<scope> <feature>` for each write: processes drop their cache entries. Correctness does not depend on delivery. */
export const changesChannel = 'task-api:changes';

type Fields = readonly [since: number, ...fields: string[]];

type BeginAnswer = readonly [used: number, resetMs: number, blockedMs: number, ...scopes: Fields[]];

/** The consistency store that all processes share. */
export class RedisConsistencyStore extends ConsistencyStore {
  readonly isShared = true;

  private readonly begins: SharedScript<BeginAnswer>;
  private readonly finishes: SharedScript<null>;

  constructor(private readonly connection: RedisConnection) {
    super();
    this.begins = new SharedScript(connection, 'consistencyBegin', [intentTtlMs, positionTtlMs]);
    this.finishes = new SharedScript(connection, 'consistencyFinish', [
      ...[positionTtlMs, changesChannel, intentTtlMs, settleMs],
    ]);
    connection.define('consistencyBegin', beginScript);
    connection.define('consistencyAsk', askScript);
    connection.define('consistencyRefund', refundScript);
    connection.define('consistencyAnnounce', announceScript);
    connection.define('consistencyFinish', finishScript);
    connection.define('consistencySettle', settleScript);
  }

  get isUp(): boolean {
    return this.connection.isUp;
  }

  get epoch(): number {
    return this.connection.epoch;
  }

  get readTimeoutMs(): number {
    return this.connection.readTimeoutMs;
  }

  get upSince(): number | null {
    return this.connection.upSince;
  }

  onChange(listener: () => void): void {
    this.connection.onChange(listener);
  }

  untilUp(timeoutMs: number): Promise<boolean> {
    return this.connection.untilUp(timeoutMs);
  }

  begin(limit: Limit, cost: number, { scopes, intent }: Question): Promise<Beginning> {
    const { connection } = this;
    const slot = connection.slotOf(limit.key);
    const far = scopes.filter((scope) => connection.slotOf(keyOf(scope)) !== slot);
    if (far.length > 0) return this.beginFar(limit, cost, { scopes, intent }, far);
    const begun = this.beginNear(limit, cost, scopes, intent);
    return intent === null ? begun : this.orWithdraw(intent, begun);
  }

  private async beginFar(
    limit: Limit,
    cost: number,
    { scopes, intent }: Question,
    far: readonly Scope[],
  ): Promise<Beginning> {
    const near = scopes.filter((scope) => !far.includes(scope));
    const begun = this.beginNear(limit, cost, near, intent);
    const [beginning, others] = await this.orWithdraw(intent, Promise.all([begun, this.ask(far)]));
    for (const [scope, known] of others) beginning.lastWrites.set(scope, known);
    return beginning;
  }

  async count(limit: Limit, cost: number): Promise<LimitRecord> {
    return (await this.beginNear(limit, cost, [], null)).limit;
  }

  async refund(key: string, cost: number): Promise<void> {
    await this.connection.script('consistencyRefund', [key], [cost]);
  }

  async ask(scopes: readonly Scope[]): Promise<ReadonlyMap<Scope, LastWrites>> {
    const found = new Map<Scope, LastWrites>();
    await this.forSlots(scopes, keyOf, async (some) => {
      const result = await this.connection.script('consistencyAsk', some.map(keyOf), [positionTtlMs]);
      (result as Fields[]).forEach((fields, n) => found.set(some[n] as Scope, lastWritesOf(fields)));
    });
    return found;
  }

  async announce(intents: readonly WriteIntent[]): Promise<void> {
    const announced = this.forSlots(intents, keyOfIntent, async (some) => {
      const args = [intentTtlMs, positionTtlMs, ...some.map(fieldOf)];
      await this.connection.script('consistencyAnnounce', some.map(keyOfIntent), args);
    });
    try {
      await announced;
    } catch (error) {
      if (error instanceof DeadlineExceeded) this.withdraw(intents);
      throw error;
    }
  }

  async finish(intents: readonly WriteIntent[], position: Position | null): Promise<void> {
    const [progress, database, past] =
      position === null
        ? ['', '', '']
        : [progressOf(position), databaseOf(position), progressOf(justPast(position))];
    await Promise.all(
      intents.map((intent) => {
        const { scope, feature } = intent;
        const args = [feature, progress, database, past, fieldOf(intent), `${scope} ${feature}`];
        const key = keyOf(scope);
        return this.connection.waitFor(
          'EVALSHA consistencyFinish',
          () => this.finishes.get(this.connection.slotOf(key), { keys: [key], args }),
          Deadline.none,
        );
      }),
    );
  }

  async settle(scope: Scope, feature: string, position: Position): Promise<LastWrite> {
    const database = databaseOf(position);
    const args = [feature, progressOf(position), database, positionTtlMs, settleMs];
    const progress = String(await this.connection.script('consistencySettle', [keyOf(scope)], args));
    return progress === '' ? { kind: 'writing' } : { kind: 'known', position: database + progress };
  }

  /** Counts, and asks about scopes in the slot of the limit. */
  private async beginNear(
    limit: Limit,
    cost: number,
    scopes: readonly Scope[],
    intent: WriteIntent | null,
  ): Promise<Beginning> {
    const { key, points, windowMs, blockMs } = limit;
    const args: (string | number)[] = [scopes.length, points, windowMs, blockMs, cost, ...seedOf(limit)];
    const keys = [key];
    for (const scope of scopes) {
      keys.push(keyOf(scope));
      args.push(intent?.scope === scope ? fieldOf(intent) : '');
    }
    const answer = await this.connection.waitFor('EVALSHA consistencyBegin', () =>
      this.begins.get(this.connection.slotOf(key), { keys, args }),
    );
    const [used, resetMs, blockedMs, ...found] = answer;
    const lastWrites = new Map(found.map((fields, n) => [scopes[n] as Scope, lastWritesOf(fields)]));
    return { limit: { used, resetMs, blockedMs }, lastWrites };
  }

  /** One call for the keys of each slot, at the same time. Where one fails, the others have taken effect or fail, too. */
  private async forSlots<T>(
    all: readonly T[],
    key: (each: T) => string,
    call: (some: readonly T[]) => Promise<void>,
  ): Promise<void> {
    const bySlot = Map.groupBy(all, (each) => this.connection.slotOf(key(each)));
    await Promise.all([...bySlot.values()].map(call));
  }

  /** An intent that was sent, but whose caller stopped waiting, would keep the scope's reads on the primary until it expires. */
  private async orWithdraw<T>(intent: WriteIntent | null, sent: Promise<T>): Promise<T> {
    try {
      return await sent;
    } catch (error) {
      if (intent !== null && error instanceof DeadlineExceeded) this.withdraw([intent]);
      throw error;
    }
  }

  private withdraw(intents: readonly WriteIntent[]): void {
    this.finish(intents, null).catch(() => undefined);
  }
}

/** A window that is nearly over may have ended in Redis already: the clocks differ. */
const seedOf = ({ known }: Limit): readonly [number, number] =>
  known === undefined || known.resetMs < 1000 ? [0, 0] : [known.used, Math.ceil(known.resetMs)];

const fieldOf = ({ feature, id }: WriteIntent): string => `m${feature}:${id}`;

const keyOfIntent = ({ scope }: WriteIntent): string => keyOf(scope);

/** Where there is an intent, it counts instead of the position. A position without its database is unknown. */
function lastWritesOf([since, ...fields]: Fields): LastWrites {
  const byFeature = new Map<string, LastWrite>();
  for (let n = 0; n < fields.length; n += 2) {
    const [field = '', value = ''] = [fields[n], fields[n + 1]];
    if (field.startsWith('m')) byFeature.set(field.slice(1, field.indexOf(':')), writing);
    if (!field.startsWith('p') || byFeature.has(field.slice(1))) continue;
    const database = fields.indexOf(`d${field.slice(1)}`);
    const position = database < 0 ? value : `${fields[database + 1]}${value}`;
    if (isPosition(position)) byFeature.set(field.slice(1), { kind: 'known', position });
  }
  return { byFeature, missing: since >= settleMs ? settled : unsettled };
}

const writing: LastWrite = { kind: 'writing' };
const settled: LastWrite = { kind: 'unknown', isSettled: true };
const unsettled: LastWrite = { kind: 'unknown', isSettled: false };
