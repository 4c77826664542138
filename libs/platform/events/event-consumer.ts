import { CallContext } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { logger } from '../logging/logger.js';
import type { SeriesCounter } from '../metrics/series.js';
import { isDatabaseUnavailable } from '../postgres/postgres-errors.js';
import { inConsumerSpan } from '../telemetry/tracer.js';
import { BackgroundLoop } from './background-loop.js';
import { EventConsumed, type EventDefinition, type EventHandler, type EventMeta } from './event.js';
import type { ClaimedEvent, Inbox, LocalConsumer } from './inbox.js';

/** Events handled at the same time: a slow mail server delays the others no longer than its own timeout (20 s). */
const concurrency = 4;
/** Taken at a time as far as those are handled within `quickMs`: it is one transaction, however many they are. */
const maxBatch = 64;
const quickMs = 1000;
/** The relay gives events while fewer than these wait here. */
const maxWaiting = 4 * maxBatch;
/** After 12 attempts, about an hour of doubling delays, an event is set aside, for a person to look at. */
const maxAttempts = 12;

export interface ConsumerTiming {
  /** A process that died keeps its events from others for this long. */
  readonly leaseSeconds: number;
  /** A consumer gives up before the lease of its event ends: else another process would handle it at the same time. */
  readonly timeoutMs: number;
}

const usualTiming: ConsumerTiming = { leaseSeconds: 60, timeoutMs: 50_000 };

export type Deliveries = SeriesCounter<'topic' | 'consumer' | 'result'>;

export interface ConsumerParts {
  /** `<feature>.<name>` */
  readonly name: string;
  readonly event: EventDefinition;
  readonly handler: EventHandler<unknown>;
  readonly inbox: Inbox;
  readonly deliveries: Deliveries;
  readonly timing?: ConsumerTiming | undefined;
}

/** Events that a consumer has taken together. */
interface Batch {
  readonly events: readonly ClaimedEvent[];
  readonly takenAt: number;
}

/** Handles the events of one consumer, apart from all others: its own attempts, delays and events that are set aside. */
export class EventConsumer implements LocalConsumer {
  readonly name: string;
  private readonly loop: BackgroundLoop;
  private readonly timing: ConsumerTiming;
  private readonly taken: Batch[] = [];
  /** Of the next batch. */
  private size = concurrency;

  constructor(private readonly parts: ConsumerParts) {
    const { name, inbox, timing = usualTiming } = parts;
    this.name = name;
    this.timing = timing;
    this.loop = new BackgroundLoop({ name: `consumer ${name}`, work: () => this.handleAll() });
    inbox.addConsumer(name, this);
  }

  get leaseSeconds(): number {
    return this.timing.leaseSeconds;
  }

  /** As long as it is not known to be quick it leaves events to other processes. */
  get takesAtOnce(): boolean {
    const waiting = this.taken.reduce((sum, { events }) => sum + events.length, 0);
    return !this.loop.isStopped && this.size === maxBatch && waiting < maxWaiting;
  }

  start(): void {
    for (const result of ['success', 'error'] as const) this.countedAs(result);
    this.loop.start();
  }

  /** Resolves when no event is being handled any more. */
  async stop(): Promise<void> {
    await this.loop.stop();
    for (const { events } of this.taken.splice(0)) await this.parts.inbox.release(this.name, events);
  }

  async take(events: readonly ClaimedEvent[], takenAt: number): Promise<void> {
    if (this.loop.isStopped) return this.parts.inbox.release(this.name, events);
    this.taken.push({ events, takenAt });
    this.wake();
  }

  /** Handles at once what is due. */
  wake(): void {
    this.loop.wake();
  }

  private async handleAll(): Promise<void> {
    for (let isMore = true; isMore && !this.loop.isStopped;) {
      const given = this.taken.shift();
      const batch = given ?? (await this.claim());
      const startedAt = performance.now();
      const released = await this.handleEach(batch);
      isMore =
        released > 0 || (given === undefined ? batch.events.length === this.size : this.taken.length > 0);
      if (batch.events.length > 0)
        this.size = this.nextSize(batch.events.length, performance.now() - startedAt);
    }
  }

  /** At most twice of what it was: one quick event may be an exception. */
  private nextSize(count: number, ms: number): number {
    const msOfOne = ms / Math.ceil(count / concurrency);
    const fitting = concurrency * Math.floor(quickMs / msOfOne);
    return Math.max(concurrency, Math.min(2 * this.size, fitting, maxBatch));
  }

  private async claim(): Promise<Batch> {
    const takenAt = performance.now();
    return { events: await this.parts.inbox.claim(this.name, this.size, this.leaseSeconds), takenAt };
  }

  /**
   * Four at a time. The others are given back where they would begin so late that their lease might end before they do. Returns
   * how many those are.
   */
  private async handleEach({ events, takenAt }: Batch): Promise<number> {
    const { leaseSeconds, timeoutMs } = this.timing;
    const latestStart = takenAt + leaseSeconds * 1000 - timeoutMs;
    const waiting = events.slice(concurrency);
    const ends: Promise<void>[] = [];
    const handleFrom = async (first: ClaimedEvent): Promise<void> => {
      for (let event: ClaimedEvent | undefined = first; event !== undefined;) {
        const current = event;
        // Not until it is marked as done: that is written for several together.
        await new Promise<void>((resolve) => ends.push(this.handle(current, resolve)));
        const isLate = performance.now() > latestStart || this.loop.isStopped;
        event = isLate ? undefined : waiting.shift();
      }
    };
    await Promise.all(events.slice(0, concurrency).map(handleFrom));
    await Promise.all(ends);
    if (waiting.length > 0) await this.parts.inbox.release(this.name, waiting);
    return waiting.length;
  }

  /** Never rejects. What fails here comes again when its lease ends. `onHandled`: the method has ended. */
  private async handle(event: ClaimedEvent, onHandled: () => void): Promise<void> {
    const attributes = {
      'messaging.system': 'outbox',
      'messaging.operation.type': 'process',
      'messaging.destination.name': event.topic,
      'messaging.consumer.group.name': this.name,
    };
    const work = () => this.deliver(event, onHandled).catch((error: unknown) => this.failed(event, error));
    await inConsumerSpan({ name: `process ${event.topic}`, attributes }, event.trace, work).catch(
      (error: unknown) => {
        if (!isDatabaseUnavailable(error)) logger.error({ err: error, consumer: this.name }, 'inbox failed');
      },
    );
    // Also where the method was not reached.
    onHandled();
  }

  private async deliver(event: ClaimedEvent, onHandled: () => void): Promise<void> {
    const { inbox } = this.parts;
    const isConsumed = await this.call(event).finally(onHandled);
    // A method that returns has committed its transactions.
    if (!isConsumed) await inbox.done(this.name, event.id);
    this.countedAs('success').inc();
  }

  /** Calls the method. Returns whether it has marked the event as consumed itself. */
  private async call(event: ClaimedEvent): Promise<boolean> {
    const { inbox, event: definition, handler } = this.parts;
    // Each attempt ended its process.
    if (event.attempts > maxAttempts) throw new Error('Every attempt ended before its result was known.');
    const result = { isConsumed: false };
    const meta: EventMeta = {
      id: event.id,
      occurredAt: event.occurredAt,
      consume: async (manager) => {
        await inbox.consume(manager, this.name, event.id);
        result.isConsumed = true;
      },
    };
    const payload = definition.payload.parse(event.payload);
    const call = new CallContext({ deadline: new Deadline(this.timing.timeoutMs) });
    try {
      await call.run(() => call.deadline.limit(handler(payload, meta)));
    } finally {
      call.deadline.end();
    }
    return result.isConsumed;
  }

  private async failed(event: ClaimedEvent, error: unknown): Promise<void> {
    if (error instanceof EventConsumed) return;
    const { topic, id, attempts } = event;
    this.countedAs('error').inc();
    logger.warn({ err: error, consumer: this.name, topic, event_id: id, attempts }, 'an event failed');
    const delaySeconds = attempts >= maxAttempts ? null : Math.min(2 ** attempts, 900);
    await this.parts.inbox.postpone(this.name, event, delaySeconds);
  }

  private countedAs(result: 'success' | 'error') {
    return this.parts.deliveries.series({ topic: this.parts.event.topic, consumer: this.name, result });
  }
}
