/**
 * `node --import ./scripts/built-hook.mjs test/support/counting-consumers.ts`: relays the outbox `things` and runs two
 * consumers, each of which writes a row for each event it handles, in the transaction in which it consumes the event.
 * DATABASE_URL: a database with the tables of `eventSchema`.
 */
import { z } from 'zod';
import { openDataPath } from '../../libs/platform/data-path.js';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { featureName } from '../../libs/platform/context/feature-name.js';
import { defineEvent, type EventMeta } from '../../libs/platform/events/event.js';
import { EventRoutes } from '../../libs/platform/events/event-routes.js';
import { Inbox, Inboxes } from '../../libs/platform/events/inbox.js';
import { InboxWorker } from '../../libs/platform/events/inbox-worker.js';
import { OnEvent } from '../../libs/platform/events/on-event.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { OutboxRelay } from '../../libs/platform/events/outbox-relay.js';
import { PendingEvents } from '../../libs/platform/events/pending-events.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { platformVariables } from '../../libs/platform/platform.config.js';

const happened = defineEvent('thing.happened', z.object({ name: z.string() }));
const timing = { leaseSeconds: 3, timeoutMs: 2500 };

const path = await openDataPath({
  config: parseEnvironment({ ...process.env, NODE_ENV: 'test', MIGRATE_ON_START: 'true' }, platformVariables),
  features: [],
  applicationName: 'counting-consumers',
  role: 'service',
  metrics: new Metrics(),
  startEmbedded: () => Promise.reject(new Error('There is a server.')),
  stop: new AbortController().signal,
});
const databaseOf = (feature: string) => path.databases.forFeature(featureName(feature));

class Counting {
  readonly feature: string;

  constructor(feature: string) {
    this.feature = feature;
  }

  async count({ name }: { readonly name: string }, { id, consume }: EventMeta): Promise<void> {
    await databaseOf(this.feature).write(
      async (manager) => {
        await consume(manager);
        await manager.query('INSERT INTO things.effects VALUES ($1, $2, $3)', [this.feature, id, name]);
      },
      { scopes: [] },
    );
  }
}
// By hand: this file is not compiled, so it can't use the decorator's syntax.
const method = Object.getOwnPropertyDescriptor(Counting.prototype, 'count') as TypedPropertyDescriptor<
  Counting['count']
>;
OnEvent(happened, 'count')(Counting.prototype, 'count', method);

const names = ['first', 'second'];
const routes = new EventRoutes(names.map((name) => ({ name, consumers: [Counting] })));
const inboxes = new Inboxes(names.map((name) => new Inbox(name, databaseOf(name))));
const metrics = new Metrics();
const pending = new PendingEvents(metrics);
const parts = [
  ...names.map((name) => {
    const consumers = [new Counting(name)];
    return new InboxWorker({ inbox: inboxes.get(name), consumers, pending, metrics, timing });
  }),
  new OutboxRelay({
    ...{ outbox: new Outbox('things', routes), database: databaseOf('things') },
    ...{ routes, inboxes, pending, leaseSeconds: 3 },
  }),
];
for (const part of parts) part.onApplicationBootstrap();
process.stdout.write('ready\n');
