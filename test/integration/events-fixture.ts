import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { featureName } from '../../libs/platform/context/feature-name.js';
import type { Database } from '../../libs/platform/database/database.js';
import { defineEvent, type EventMeta } from '../../libs/platform/events/event.js';
import type { ConsumerTiming } from '../../libs/platform/events/event-consumer.js';
import { EventRoutes } from '../../libs/platform/events/event-routes.js';
import { Inbox, Inboxes } from '../../libs/platform/events/inbox.js';
import { InboxWorker } from '../../libs/platform/events/inbox-worker.js';
import { OnEvent } from '../../libs/platform/events/on-event.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { OutboxRelay } from '../../libs/platform/events/outbox-relay.js';
import { PendingEvents } from '../../libs/platform/events/pending-events.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { eventSchema } from '../support/event-schema.js';

export const happened = defineEvent('thing.happened', z.object({ name: z.string() }));
/** Only `first` consumes it. */
export const concerned = defineEvent('thing.concerned', z.object({ name: z.string() }));
/** Nothing consumes it. */
export const ignored = defineEvent('thing.ignored', z.object({}));

export type Handle = (name: string, meta: EventMeta) => Promise<void> | void;

export class FirstConsumers {
  constructor(private readonly handle: Handle) {}

  @OnEvent(happened, 'note')
  async note({ name }: { readonly name: string }, meta: EventMeta): Promise<void> {
    await this.handle(name, meta);
  }

  @OnEvent(concerned, 'concern')
  async concern({ name }: { readonly name: string }, meta: EventMeta): Promise<void> {
    await this.handle(name, meta);
  }
}

export class SecondConsumers {
  constructor(private readonly handle: Handle) {}

  @OnEvent(happened, 'note')
  async note({ name }: { readonly name: string }, meta: EventMeta): Promise<void> {
    await this.handle(name, meta);
  }
}

const features = [
  { name: 'first', consumers: [FirstConsumers] },
  { name: 'second', consumers: [SecondConsumers] },
] as const;
const routes = new EventRoutes(features);

export interface EventProcess {
  readonly outbox: Outbox;
  readonly metrics: Metrics;
  stop(): Promise<void>;
}

export interface ProcessOptions {
  /** A feature without a handler is not in this process. */
  readonly first?: Handle;
  readonly second?: Handle;
  readonly timing?: ConsumerTiming;
  /** The inboxes are in another database than the outbox, as far as the process knows. */
  readonly isFar?: boolean;
}

export interface EventsFixture {
  readonly url: string;
  readonly dataSource: DataSource;
  database(feature: string): Database;
  /** As far as events are concerned, a separate process. */
  start(options: ProcessOptions): EventProcess;
  /** Ends all processes and empties all tables. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function openEventsFixture(): Promise<EventsFixture> {
  logger.level = 'silent';
  const opened: TestDataPath = await openTestDataPath('events', []);
  const { dataSource, path, url } = opened;
  const other = await openTestDataPath('events-far', [], { DATABASE_URL: url });
  await dataSource.query(eventSchema(['things'], ['first', 'second']));
  const database = (feature: string) => path.databases.forFeature(featureName(feature));
  const farDatabase = (feature: string) => other.path.databases.forFeature(featureName(feature));
  const processes: EventProcess[] = [];
  const stopAll = () => Promise.all(processes.splice(0).map((process) => process.stop()));
  return {
    url,
    dataSource,
    database,
    start: (options) => {
      const inboxes = options.isFar === true ? farDatabase : database;
      const process = startProcess(database, inboxes, options);
      processes.push(process);
      return process;
    },
    reset: async () => {
      await stopAll();
      await dataSource.query('TRUNCATE things.outbox, first.inbox, second.inbox, things.effects');
    },
    close: async () => {
      await stopAll();
      await other.close();
      await opened.close();
    },
  };
}

type DatabaseOf = (feature: string) => Database;

function startProcess(
  database: DatabaseOf,
  databaseOfInbox: DatabaseOf,
  options: ProcessOptions,
): EventProcess {
  const metrics = new Metrics();
  const pending = new PendingEvents(metrics);
  const outbox = new Outbox('things', routes);
  const consumers = [
    { feature: 'first', handle: options.first, Consumers: FirstConsumers },
    { feature: 'second', handle: options.second, Consumers: SecondConsumers },
  ].flatMap(({ handle, ...rest }) => (handle === undefined ? [] : [{ ...rest, handle }]));
  const inboxes = new Inboxes(consumers.map(({ feature }) => new Inbox(feature, databaseOfInbox(feature))));
  const relay = new OutboxRelay({ outbox, database: database('things'), routes, inboxes, pending });
  const workers = consumers.map(
    ({ feature, handle, Consumers }) =>
      new InboxWorker({
        ...{ inbox: inboxes.get(feature), consumers: [new Consumers(handle)], pending, metrics },
        ...(options.timing !== undefined && { timing: options.timing }),
      }),
  );
  const parts = [...workers, relay];
  for (const part of parts) part.onApplicationBootstrap();
  return {
    outbox,
    metrics,
    stop: async () => {
      for (const part of parts) await part.onApplicationShutdown();
    },
  };
}
