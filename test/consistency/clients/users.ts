import type { Random } from '../random.js';

export interface Session {
  readonly id: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface KnownTask {
  readonly origin: string;
  readonly id: string;
  readonly version: number;
  readonly isLive: boolean;
}

/** One client of a user: it has its own session and sends one request after the other. */
export interface Device {
  readonly name: string;
  session: Session | null;
}

/** More would not fit into the first page of a list, which the checker compares. */
const maxLive = 20;
const maxRemembered = 40;

/** What all clients of a user know together. */
export class User {
  readonly name: string;
  readonly email: string;
  readonly devices: readonly Device[];
  readonly sendsTokens: boolean;
  id = '';
  /** Number of the presumably current password. */
  passwordNumber = 1;
  /** A change to this password may have been applied, or may still be. */
  lastPasswordTried = 1;
  profileVersion = 1;
  /** The `Consistency-Token` of the latest write. */
  token: string | null = null;
  /** Sessions whose end was acknowledged: none of them may be accepted again. */
  readonly revoked: Session[] = [];
  private readonly tasks = new Map<string, KnownTask>();
  private counter = 0;
  private writes: Promise<unknown> = Promise.resolve();

  constructor(name: string, email: string, options: { devices: number; sendsTokens: boolean }) {
    this.name = name;
    this.email = email;
    this.sendsTokens = options.sendsTokens;
    this.devices = Array.from({ length: options.devices }, (_, n) => ({
      name: `${name}.${'abcdef'[n] ?? n}`,
      session: null,
    }));
  }

  password(number: number): string {
    return `${this.name} has the password ${number}`;
  }

  /** Returns a different text each time. */
  nextNumber(): number {
    return (this.counter += 1);
  }

  /** Keeps the newest known version of a task. */
  learn(task: KnownTask): void {
    const known = this.tasks.get(task.origin);
    if (known !== undefined && known.version > task.version) return;
    this.tasks.delete(task.origin);
    this.tasks.set(task.origin, task);
    for (const [origin, { isLive }] of this.tasks) {
      if (this.tasks.size <= maxRemembered) break;
      if (!isLive) this.tasks.delete(origin);
    }
  }

  get hasRoom(): boolean {
    return [...this.tasks.values()].filter(({ isLive }) => isLive).length < maxLive;
  }

  pickTask(random: Random, { isLive }: { readonly isLive: boolean }): KnownTask | undefined {
    return random.pick([...this.tasks.values()].filter((task) => task.isLive === isLive));
  }

  /** Records the sessions as ended. */
  revoke(sessions: readonly (Session | null)[]): void {
    this.revoked.push(...sessions.filter((session) => session !== null));
    this.revoked.splice(0, this.revoked.length - 10);
  }

  /**
   * Serialises the writes of a user who sends consistency tokens: a token covers everything before it, and of two
   * overlapping writes it is unknown which token covers more.
   */
  async inTurn<T>(write: () => Promise<T>): Promise<T> {
    if (!this.sendsTokens) return write();
    const turn = this.writes.then(write);
    this.writes = turn.catch(() => undefined);
    return turn;
  }
}
