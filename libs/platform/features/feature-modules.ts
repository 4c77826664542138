import { Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { Caches } from '../cache/caches.js';
import { Database, DatabaseFactory } from '../database/database.js';
import { Idempotency } from '../database/idempotency.js';
import { EventBus } from '../events/event-bus.js';
import { Outbox } from '../events/outbox.js';
import { OutboxRelay } from '../events/outbox-relay.js';
import { PendingEvents } from '../events/pending-events.js';
import { assignFeature } from '../http/endpoint.js';
import { Metrics } from '../metrics/metrics.js';
import type { FeatureDefinition } from './define-feature.js';
import { sweeperProvider } from './sweeper.provider.js';

/** A service has controllers and services, and works in the background (relays, sweeper). A command has only the cores. */
export type Role = 'service' | 'command';

/**
 * The Nest modules of the features. Each feature sees the ports of all features and its own core. No other module gets its
 * `Database`, so no feature can write as another one.
 */
export function composeFeatures(
  features: readonly FeatureDefinition[],
  role: Role,
): readonly DynamicModule[] {
  const cores = features.map((feature) => coreOf(feature, role));
  const ports = portsOf(features, cores, role);
  if (role === 'command') return [ports];
  return [
    ports,
    ...features.map((feature, n) => moduleOf(feature, cores.slice(n, n + 1))),
    { module: moduleClass('background'), providers: [sweeperProvider(features)] },
  ];
}

/** What a feature has for itself: database, outbox, caches, and the providers behind its ports. */
function coreOf(feature: FeatureDefinition, role: Role): DynamicModule {
  const { name, hasOutbox, hasIdempotency, caches, core, serviceCore, contributions } = feature;
  const providers: Provider[] = [
    {
      provide: Database,
      useFactory: (databases: DatabaseFactory) => databases.forFeature(name),
      inject: [DatabaseFactory],
    },
    ...(hasOutbox ? [{ provide: Outbox, useValue: new Outbox(name) }] : []),
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

/** Controllers and services of a feature. */
function moduleOf(feature: FeatureDefinition, core: DynamicModule[]): DynamicModule {
  const { name, controllers, providers, hasOutbox } = feature;
  for (const controller of controllers) assignFeature(controller, name);
  return {
    module: moduleClass(name),
    imports: core,
    controllers: [...controllers],
    providers: [...providers, ...(hasOutbox ? [relayProvider] : [])],
  };
}

const relayProvider: Provider = {
  provide: OutboxRelay,
  useFactory: (outbox: Outbox, database: Database, bus: EventBus, pending: PendingEvents, metrics: Metrics) =>
    new OutboxRelay(outbox, database, bus, pending, metrics),
  inject: [Outbox, Database, EventBus, PendingEvents, Metrics],
};

const tokenOf = (provider: Provider) => (typeof provider === 'function' ? provider : provider.provide);

/** A class of that name, for Nest's messages. */
function moduleClass(name: string): Type {
  const type = function () {} as unknown as Type;
  Object.defineProperty(type, 'name', { value: `${name} module` });
  Module({})(type);
  return type;
}
