import type { DynamicModule } from '@nestjs/common';
import { SessionRegistry, VerificationKeys } from '../../../libs/auth/access/access.port.js';
import type { Role, Tier } from '../../../libs/auth/access/roles.port.js';
import { auth } from '../../../libs/auth/auth.port.js';
import { AuthRateLimits } from '../../../libs/auth/limits/auth-rate-limits.js';
import { keyRingProvider } from '../../../libs/auth/tokens/key-ring.provider.js';
import { KeyRing } from '../../../libs/auth/tokens/key-ring.js';
import { CONFIG } from '../../../libs/platform/config/config.token.js';
import type { Answered } from '../../../libs/platform/context/answered.js';
import { DatabaseOwner, type OwnerReport } from '../../../libs/platform/consistency/database-owner.port.js';
import { ServiceUnavailable } from '../../../libs/platform/errors/common-errors.js';
import { RateLimitPolicies } from '../../../libs/platform/throttling/policy.js';
import { users, UsersPort } from '../../../libs/users/users.port.js';
import { moduleOf, type OwnerCall } from './owner-server.js';

const timeoutMs = 2000;

/** Asks one of the processes that the database of auth and users belongs to; another one where it does not answer. */
export class OwnerClient {
  private readonly urls: readonly string[];
  private next = 0;

  constructor(urls: readonly string[]) {
    this.urls = urls;
  }

  /** @throws ServiceUnavailable where none answers */
  async call<T>(call: Partial<OwnerCall> & Pick<OwnerCall, 'method'>): Promise<T> {
    let failure: unknown;
    for (let attempt = 0; attempt < this.urls.length; attempt++) {
      const url = this.urls[this.next % this.urls.length] ?? '';
      try {
        const body = JSON.stringify({ userId: '', sessionId: '', ...call });
        const signal = AbortSignal.timeout(call.method === 'report' ? 300 : timeoutMs);
        const response = await fetch(url, { method: 'POST', body, signal });
        if (!response.ok) throw new Error(await response.text());
        return (await response.json()) as T;
      } catch (error) {
        failure = error;
        this.next++;
      }
    }
    throw new ServiceUnavailable('The accounts are not available.', { cause: failure });
  }
}

export class HttpDatabaseOwner extends DatabaseOwner {
  readonly features = [auth, users];
  private readonly client: OwnerClient;

  constructor(client: OwnerClient) {
    super();
    this.client = client;
  }

  report(): Promise<OwnerReport> {
    return this.client.call({ method: 'report' });
  }
}

class HttpSessions extends SessionRegistry {
  readonly feature = auth;
  private readonly client: OwnerClient;

  constructor(client: OwnerClient) {
    super();
    this.client = client;
  }

  async findEnd(sessionId: string, userId: string): Promise<Answered<Date | null>> {
    const { value, ...known } = await this.client.call<Answered<string | null>>({
      method: 'findEnd',
      sessionId,
      userId,
    });
    return { ...known, value: value === null ? null : new Date(value) };
  }
}

class HttpUsers extends UsersPort {
  private readonly client: OwnerClient;

  constructor(client: OwnerClient) {
    super();
    this.client = client;
  }

  ensureProfile(): Promise<void> {
    throw new Error('Tasks makes no profiles.');
  }

  async claimsOf(userId: string): Promise<{ readonly role: Role; readonly tier: Tier }> {
    const answer = await this.client.call<Answered<{ role: Role; tier: Tier }>>({
      method: 'claimsOf',
      userId,
    });
    return answer.value;
  }

  nameOf(): Promise<string | null> {
    throw new Error('Tasks asks for no names.');
  }

  async timezoneOf(userId: string): Promise<string> {
    return (await this.client.call<Answered<string>>({ method: 'timezoneOf', userId })).value;
  }
}

/** The ports of auth and users for a process that has only tasks. Keys and limits come from its own configuration. */
export function ownerClientModule(client: OwnerClient): DynamicModule {
  const ports = [
    { provide: SessionRegistry, useValue: new HttpSessions(client) },
    { provide: UsersPort, useValue: new HttpUsers(client) },
    { provide: VerificationKeys, useExisting: KeyRing },
    {
      provide: RateLimitPolicies,
      useFactory: (config: ConstructorParameters<typeof AuthRateLimits>[0]) => new AuthRateLimits(config),
      inject: [CONFIG],
    },
  ];
  return moduleOf('owner client', {
    global: true,
    providers: [keyRingProvider, ...ports],
    exports: ports.map(({ provide }) => provide),
  });
}
