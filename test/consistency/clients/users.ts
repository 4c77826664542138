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

/** One of a user's clients: it has a session of its own and does one thing after the other. */
export interface Device {
  readonly name: string;
  session: Session | null;
}

/** More would not fit into the first page of a list, by which everything is compared. */
const mostLive = 20;
const mostRemembered = 40;

/** What the clients of a user know, all of them together. */
export class User {
  readonly name: string;
  readonly email: string;
  readonly devices: readonly Device[];
  readonly sendsTokens: boolean;
  id = '';
  /** Number of the password that is thought to be current. */
  passwordNumber = 1;
  /** A change to this one may have been made, or will be. */
  lastPasswordTried = 1;
  profileVersion = 1;
  /** The `Consistency-Token` of the latest write. */
  token: string | null = null;
  /** Ended, as was acknowledged: none of them may be accepted again. */
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

  /** Never the same twice. */
  nextNumber(): number {
    return (this.counter += 1);
  }

  /** The newest that is known of a task stays known. */
  learn(task: KnownTask): void {
    const known = this.tasks.get(task.origin);
    if (known !== undefined && known.version > task.version) return;
    this.tasks.delete(task.origin);
    this.tasks.set(task.origin, task);
    for (const [origin, { isLive }] of this.tasks) {
      if (this.tasks.size <= mostRemembered) break;
      if (!isLive) this.tasks.delete(origin);
    }
  }

  get hasRoom(): boolean {
    return [...this.tasks.values()].filter(({ isLive }) => isLive).length < mostLive;
  }

  pickTask(random: Random, { isLive }: { readonly isLive: boolean }): KnownTask | undefined {
    return random.pick([...this.tasks.values()].filter((task) => task.isLive === isLive));
  }

  /** Notes the sessions as ended. */
  revoke(sessions: readonly (Session | null)[]): void {
    this.revoked.push(...sessions.filter((session) => session !== null));
    this.revoked.splice(0, this.revoked.length - 10);
  }

  /**
   * Writes of a user who sends tokens wait for each other: a token proves what happened before it, and of two that
   * overlap nobody could tell which proves more.
   */
  async inTurn<T>(write: () => Promise<T>): Promise<T> {
    if (!this.sendsTokens) return write();
    const turn = this.writes.then(write);
    this.writes = turn.catch(() => undefined);
    return turn;
  }
}
