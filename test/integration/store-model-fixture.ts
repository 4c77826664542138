import type { Redis } from 'ioredis';
import { feature, type Found, type Side } from './store-sides-fixture.js';

/** One step of an interleaving. `n` chooses among the readers or writers, `version` the side of one that begins. */
export interface Step {
  readonly kind: 'write' | 'read' | 'die' | 'stall' | 'lose' | 'second' | 'renew' | 'restore';
  readonly n: number;
  readonly version: 'old' | 'new';
}

interface Writer {
  readonly id: string;
  readonly side: Side;
  readonly version: Step['version'];
  readonly database: string;
  next: 'commit' | 'ask' | 'finish';
  committed: number;
  position: number;
  /** Its intent is not in the store any more. */
  isForgotten: boolean;
}

interface Reader {
  readonly side: Side;
  readonly database: string;
  readonly acknowledged: number;
  position: number | null;
}

const databases = ['a', 'b', 'c', 'd', 'e', 'f'].map((digit) => digit.repeat(16));

/**
 * One scope of one database, with writers and readers that can be interrupted between any two of their steps, in the real
 * store. After each look a reader checks what it may rely on.
 */
export class StoreModel {
  private lsn = 1;
  private acknowledged = 0;
  private count = 0;
  private renewals = 0;
  private readonly writers = new Map<number, Writer>();
  private readonly readers = new Map<number, Reader>();

  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly sides: Readonly<Record<Step['version'], Side>>,
  ) {}

  /** @throws Error where a reader relies on too little or on what does not exist */
  async take({ kind, n, version }: Step): Promise<void> {
    switch (kind) {
      case 'write':
        return this.write(n, version);
      case 'read':
        return this.read(n, version);
      case 'die':
        return this.die(n, version);
      case 'stall':
        return this.stall();
      case 'lose':
        return this.lose();
      case 'second':
        return this.pass(1000);
      case 'renew':
        return this.renew();
      case 'restore':
        return this.restore();
    }
  }

  private get database(): string {
    return databases[this.renewals % databases.length] ?? '';
  }

  private async write(n: number, version: Step['version']): Promise<void> {
    const writer = this.writers.get(n);
    if (writer === undefined) return this.begin(n, version);
    if (writer.next === 'commit') {
      writer.committed = ++this.lsn;
      writer.next = 'ask';
    } else if (writer.next === 'ask') {
      writer.position = this.lsn;
      writer.next = 'finish';
    } else {
      await writer.side.finish(writer.id, writer.position, writer.database);
      this.acknowledged = Math.max(this.acknowledged, writer.committed);
      this.writers.delete(n);
    }
  }

  private async begin(n: number, version: Step['version']): Promise<void> {
    const [id, side, database] = [`w${++this.count}`, this.sides[version], this.database];
    await side.announce(id);
    const start = { next: 'commit', committed: 0, position: 0, isForgotten: false } as const;
    this.writers.set(n, { id, side, version, database, ...start });
  }

  private async read(n: number, version: Step['version']): Promise<void> {
    const reader = this.readers.get(n);
    if (reader === undefined) {
      const begun = { side: this.sides[version], database: this.database, acknowledged: this.acknowledged };
      const found = await begun.side.ask(begun.database);
      this.check(found, begun.acknowledged);
      if (found.kind === 'unknown' && found.isSettled) this.readers.set(n, { ...begun, position: null });
    } else if (reader.position === null) {
      reader.position = this.lsn;
    } else {
      this.readers.delete(n);
      this.check(await reader.side.settle(reader.position, reader.database), reader.acknowledged);
    }
  }

  private check(found: Found, acknowledged: number): void {
    if (found.kind !== 'known') return;
    if (found.lsn < acknowledged) throw new Error(`It relies on ${found.lsn}, written was ${acknowledged}.`);
    // A write whose intent was lost stores the position just past its own.
    if (found.lsn > this.lsn + 1)
      throw new Error(`It relies on ${found.lsn}, the database is at ${this.lsn}.`);
  }

  /** The oldest writer died long ago: its intent expires, and the next reader notices. Version 0.1 may have others under way no more. */
  private async die(n: number, version: Step['version']): Promise<void> {
    const [oldest, ...others] = this.writers;
    if (oldest === undefined || others.some(([, writer]) => writer.version === 'old')) return;
    const [number, writer] = oldest;
    this.writers.delete(number);
    await this.expire(writer);
    await this.read(100 + n, version);
  }

  /** All are stopped for longer than their intents stand. Those that have not sent COMMIT give up; readers meet their deadlines. */
  private async stall(): Promise<void> {
    if ([...this.writers.values()].some(({ version }) => version === 'old')) return;
    for (const [n, writer] of this.writers) {
      await this.expire(writer);
      if (writer.next === 'commit') this.writers.delete(n);
    }
    this.readers.clear();
    await this.age(36_000);
  }

  private async expire(writer: Writer): Promise<void> {
    const field = `m${feature}:${writer.id}`;
    if ((await this.redis.hexists(this.key, field)) === 1) await this.redis.hset(this.key, field, '1');
  }

  /** Redis loses the data without notice. */
  private async lose(): Promise<void> {
    if ([...this.writers.values()].some(({ version }) => version === 'old')) return;
    if ([...this.readers.values()].some(({ side }) => side === this.sides.old)) return;
    await this.redis.del(this.key);
    for (const writer of this.writers.values()) writer.isForgotten = true;
  }

  /**
   * Time passes. By then a write whose intent was lost has ended, and so has a reader that began before, and a write of
   * version 0.1 that has committed: that version replaces a lost position by any other.
   */
  private async pass(ms: number): Promise<void> {
    const hasEnded = ({ isForgotten, version, next }: Writer) =>
      !isForgotten && (version === 'new' || next !== 'finish');
    if (![...this.writers.values()].every(hasEnded)) return;
    this.readers.clear();
    await this.age(ms);
  }

  private async age(ms: number): Promise<void> {
    for (const field of await this.redis.hkeys(this.key))
      if (/^[fm]/.test(field)) await this.redis.hincrby(this.key, field, -ms);
  }

  /** While new processes run. Under the lease they begin with the new id before anyone writes with it. */
  private renew(): Promise<void> {
    this.renewals++;
    return Promise.resolve();
  }

  /** The processes are stopped, the database goes back in time, and gets another id. */
  private restore(): Promise<void> {
    this.writers.clear();
    this.readers.clear();
    this.renewals++;
    this.lsn = Math.ceil(this.lsn / 2);
    this.acknowledged = 0;
    return Promise.resolve();
  }
}
