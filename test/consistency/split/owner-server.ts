import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { Module, type DynamicModule, type OnApplicationShutdown, type Type } from '@nestjs/common';
import { SessionRegistry } from '../../../libs/auth/access/access.port.js';
import { auth } from '../../../libs/auth/auth.port.js';
import { CallContext } from '../../../libs/platform/context/call-context.js';
import { Deadline } from '../../../libs/platform/context/deadline.js';
import { Consistency } from '../../../libs/platform/consistency/consistency.js';
import { users, UsersPort } from '../../../libs/users/users.port.js';

/** A call of another process, as `owner-client.ts` sends it. */
export interface OwnerCall {
  readonly method: 'report' | 'findEnd' | 'timezoneOf' | 'claimsOf';
  readonly userId: string;
  readonly sessionId: string;
}

const timeoutMs = 5000;

/**
 * Ports of auth and users for a process with a database of its own, over HTTP: what gRPC will do in the split topology. It
 * is for tests only: nobody has to log in.
 */
class OwnerServer implements OnApplicationShutdown {
  private readonly server: Server;
  private readonly consistency: Consistency;
  private readonly sessions: SessionRegistry;
  private readonly profiles: UsersPort;

  constructor(consistency: Consistency, sessions: SessionRegistry, profiles: UsersPort, port: number) {
    this.consistency = consistency;
    this.sessions = sessions;
    this.profiles = profiles;
    this.server = createServer((request, response) => {
      this.handle(request).then(
        (answer) => response.end(JSON.stringify(answer)),
        (error: unknown) => response.writeHead(503).end(String(error)),
      );
    }).listen(port, '127.0.0.1');
  }

  onApplicationShutdown(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async handle(request: IncomingMessage): Promise<unknown> {
    const call = JSON.parse(await text(request)) as OwnerCall;
    if (call.method === 'report') return this.consistency.report();
    const context = new CallContext({ deadline: new Deadline(timeoutMs) });
    const [features, read] = this.readOf(call);
    try {
      return await context.run(() => this.consistency.answer(call.userId, features, read));
    } finally {
      context.deadline.end();
    }
  }

  private readOf({ method, userId, sessionId }: OwnerCall): [readonly string[], () => Promise<unknown>] {
    switch (method) {
      case 'findEnd':
        return [[auth], async () => (await this.sessions.findEnd(sessionId, userId)).value];
      case 'timezoneOf':
        return [[users], () => this.profiles.timezoneOf(userId)];
      case 'claimsOf':
        return [[users], () => this.profiles.claimsOf(userId)];
      case 'report':
        throw new Error('A report is no read.');
    }
  }
}

/** Decorators would have to be compiled. */
export function moduleOf(name: string, definition: Omit<DynamicModule, 'module'>): DynamicModule {
  const module = function () {} as unknown as Type;
  Object.defineProperty(module, 'name', { value: name });
  Module({})(module);
  return { module, ...definition };
}

export const ownerServerModule = (port: number): DynamicModule =>
  moduleOf('owner server', {
    providers: [
      {
        provide: OwnerServer,
        useFactory: (consistency: Consistency, sessions: SessionRegistry, profiles: UsersPort) =>
          new OwnerServer(consistency, sessions, profiles, port),
        inject: [Consistency, SessionRegistry, UsersPort],
      },
    ],
  });
