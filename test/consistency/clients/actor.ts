import type { ApiProcess } from '../cluster/api-process.js';
import type { Called, Caller, Request } from './caller.js';
import type { Random } from '../random.js';
import type { Device, Session, User } from './users.js';

interface Means {
  readonly random: Random;
  readonly caller: Caller;
  readonly processes: readonly ApiProcess[];
  readonly preferred?: ApiProcess;
}

/** A device of a user; each of its requests goes to a random process. */
export class Actor {
  readonly user: User;
  readonly device: Device;
  readonly random: Random;
  private readonly means: Means;

  constructor(user: User, device: Device, means: Means) {
    this.user = user;
    this.device = device;
    this.random = means.random;
    this.means = means;
  }

  /** The same actor, but with that process wherever it has the feature. */
  pinnedTo(process: ApiProcess): Actor {
    return new Actor(this.user, this.device, { ...this.means, preferred: process });
  }

  /** Sends the token of the device's session unless the request has another one. */
  as(request: Request): Promise<Called> {
    return this.anonymously({ session: this.device.session ?? undefined, ...request });
  }

  anonymously(request: Request): Promise<Called> {
    const { processes, preferred } = this.means;
    const able = processes.filter((each) => each.serves(request.path));
    const process = preferred?.serves(request.path) === true ? preferred : this.random.pick(able);
    if (process === undefined) throw new Error('There is no process to ask.');
    return this.means.caller.call(this.user, this.device, process, request);
  }

  isLoggedIn(): boolean {
    return this.device.session !== null;
  }

  get otherSessions(): readonly (Session | null)[] {
    return this.user.devices.filter((device) => device !== this.device).map(({ session }) => session);
  }
}

export interface Action {
  readonly name: string;
  readonly weight: number;
  run(actor: Actor): Promise<void>;
}
