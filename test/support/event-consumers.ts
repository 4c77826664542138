import { handlersOf } from '../../libs/platform/events/inbox-worker.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';

/** Calls the methods of consumers that handle a topic, as if their inboxes had delivered an event. */
export async function tellConsumers(
  consumers: readonly object[],
  topic: string,
  payload: unknown,
): Promise<void> {
  const handlers = consumers
    .flatMap((object) => handlersOf('test', object))
    .filter(({ event }) => event.topic === topic);
  if (handlers.length === 0) throw new Error(`Nothing consumes ${topic}.`);
  const meta = { id: uuidv7(), occurredAt: new Date(), consume: () => Promise.resolve() };
  for (const { event, handler } of handlers) await handler(event.payload.parse(payload), meta);
}
