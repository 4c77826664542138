import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { Caches } from '../cache/caches.js';
import { Database, DatabaseFactory } from '../database/database.js';
import { Idempotency } from '../database/idempotency.js';
import type { EventRoutes } from '../events/event-routes.js';
import { Inbox, Inboxes } from '../events/inbox.js';
import { InboxWorker } from '../events/inbox-worker.js';
import { Outbox } from '../events/outbox.js';
import { OutboxRelay } from '../events/outbox-relay.js';
import { PendingEvents } from '../events/pending-events.js';
import { assignFeature } from '../http/endpoint.js';
import { Metrics } from '../metrics/metrics.js';
import type { FeatureDefinition } from './define-feature.js';
import { sweeperProvider, type Outboxes } from './sweeper.provider.js';

/** A service has controllers and services, and works in the background (relays, sweeper). A command has only the cores. */
export type Role = 'service' | 'command';

/**
 * The Nest modules of the features. Each feature sees the ports of all features and its own core. No other module gets its
 * `Database`, so no feature can write as another one. `routes`: the event consumers of the features of all apps, which may be
 * more than these.
 */
export function composeFeatures(
  features: readonly FeatureDefinition[],
  role: Role,
  routes: EventRoutes,
): readonly DynamicModule[] {
  const outboxes = outboxesOf(features, routes);
  const cores = features.map((feature) => coreOf(feature, role, outboxes));
  const ports = portsOf(features, cores, role);
  if (role === 'command') return [ports];
  return [
    ports,
    inboxesOf(features),
    ...features.map((feature, n) => moduleOf(feature, cores.slice(n, n + 1), routes)),
    { module: moduleClass('background'), providers: [sweeperProvider(features, outboxes)] },
  ];
}

const outboxesOf = (features: readonly FeatureDefinition[], routes: EventRoutes): Outboxes =>
  new Map(features.filter(({ hasOutbox }) => hasOutbox).map(({ name }) => [name, new Outbox(name, routes)]));

/** What a feature has for itself: database, outbox, caches, and the providers behind its ports. */
function coreOf(feature: FeatureDefinition, role: Role, outboxes: Outboxes): DynamicModule {
  const { name, hasIdempotency, caches, core, serviceCore, contributions } = feature;
  const outbox = outboxes.get(name);
  const providers: Provider[] = [
    {
      provide: Database,
      useFactory: (databases: DatabaseFactory) => databases.forFeature(name),
      inject: [DatabaseFactory],
    },
    ...(outbox === undefined ? [] : [{ provide: Outbox, useValue: outbox }]),
    ...(hasIdempotency ? [idempotencyOf(name)] : []),
    ...caches.map(({ token, open }) => ({ provide: token, useFactory: open, inject: [Caches] })),
    ...core,
    ...(role === 'service' ? serviceCore : []),
    ...contributions.map(({ by }) => by),
  ];
  return { module: moduleClass(`${name}-core`), providers, exports: providers.map(tokenOf) };
}

const idempotencyOf = (name: string): Provider => ({
  provide: Idempotency,
  useFactory: (database: Database) => new Idempotency(database, name),
  inject: [Database],
});

/** The ports of all features and their contributions to extension points, for all modules. */
function portsOf(
  features: readonly FeatureDefinition[],
  cores: readonly DynamicModule[],
  role: Role,
): DynamicModule {
  const ports = features
    .flatMap((feature) => feature.ports)
    .filter(({ isForServices }) => role === 'service' || isForServices !== true)
    .map(({ port, by }) => ({ provide: port, useExisting: by }));
  const contributions = Map.groupBy(
    features.flatMap((feature) => feature.contributions),
    ({ to }) => to.token,
  );
  const extensions = [...contributions].map(([token, all]) => ({
    provide: token,
    useFactory: (...parts: unknown[]) => parts,
    inject: all.map(({ by }) => by),
  }));
  const providers = [...ports, ...extensions];
  return {
    module: moduleClass('feature-ports'),
    global: true,
    imports: [...cores],
    providers,
    exports: providers.map(tokenOf),
  };
}

/** The inboxes of the features of this process, for the relays of all of them. */
function inboxesOf(features: readonly FeatureDefinition[]): DynamicModule {
  const consuming = features.filter(({ consumers }) => consumers.length > 0);
  const provider: Provider = {
    provide: Inboxes,
    useFactory: (databases: DatabaseFactory) =>
      new Inboxes(consuming.map(({ name }) => new Inbox(name, databases.forFeature(name)))),
    inject: [DatabaseFactory],
  };
  return { module: moduleClass('inboxes'), global: true, providers: [provider], exports: [Inboxes] };
}

/** Controllers, services and event consumers of a feature. */
function moduleOf(feature: FeatureDefinition, core: DynamicModule[], routes: EventRoutes): DynamicModule {
  const { name, controllers, providers, hasOutbox, consumers } = feature;
  for (const controller of controllers) assignFeature(controller, name);
  return {
    module: moduleClass(name),
    imports: core,
    controllers: [...controllers],
    providers: [
      ...providers,
      ...consumers,
      ...(hasOutbox ? [relayOf(routes)] : []),
      ...(consumers.length > 0 ? [workerOf(feature)] : []),
    ],
  };
}

const relayOf = (routes: EventRoutes): Provider => ({
  provide: OutboxRelay,
  useFactory: (outbox: Outbox, database: Database, inboxes: Inboxes, pending: PendingEvents) =>
    new OutboxRelay({ outbox, database, inboxes, pending, routes }),
  inject: [Outbox, Database, Inboxes, PendingEvents],
});

const workerOf = ({ name, consumers }: FeatureDefinition): Provider => ({
  provide: InboxWorker,
  useFactory: (inboxes: Inboxes, pending: PendingEvents, metrics: Metrics, ...objects: object[]) =>
    new InboxWorker({ inbox: inboxes.get(name), consumers: objects, pending, metrics }),
  inject: [Inboxes, PendingEvents, Metrics, ...consumers],
});

const tokenOf = (provider: Provider) => (typeof provider === 'function' ? provider : provider.provide);

/** A class of that name, for Nest's messages. */
function moduleClass(name: string): Type {
  const type = function () {} as unknown as Type;
  Object.defineProperty(type, 'name', { value: `${name} module` });
  Module({})(type);
  return type;
}
