import fc from 'fast-check';
import { check } from './checker.js';
import type { Operation } from './history.js';
import { list, operation, refused } from './operation-fixture.js';

/** A step of the model: the operation, its duration, and the moment within it at which it takes effect. */
interface Step {
  readonly action: 'patch' | 'delete' | 'restore' | 'get' | 'list' | 'stats';
  readonly task: number;
  readonly startAfter: number;
  readonly takes: number;
  readonly happensAt: number;
  readonly isUnanswered: boolean;
  readonly isNeverApplied: boolean;
}

interface State {
  readonly version: number;
  readonly isLive: boolean;
}

const tasks = ['a', 'b'];
const writes = ['patch', 'delete', 'restore'];

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom('patch', 'delete', 'restore', 'get', 'get', 'list', 'stats'),
  task: fc.nat(tasks.length - 1),
  startAfter: fc.nat(8),
  takes: fc.integer({ min: 1, max: 20 }),
  happensAt: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  isUnanswered: fc.boolean(),
  isNeverApplied: fc.boolean(),
});

/** A linearizable execution: each operation takes effect at one moment between its start and its end. */
function execute(steps: readonly Step[]): readonly Operation[] {
  const state = new Map<string, State>(tasks.map((origin) => [origin, { version: 1, isLive: true }]));
  const creations = tasks.map((target) => operation('create', [-2, -1], { target, version: 1 }));
  let time = 0;
  const timed = steps.map((each) => {
    time += each.startAfter;
    return { ...each, begin: time, end: time + each.takes, moment: time + each.happensAt * each.takes };
  });
  const inOrder = timed.sort((a, b) => a.moment - b.moment);
  return [...creations, ...inOrder.flatMap((each) => apply(each, state))];
}

function apply(
  { action, task, begin, end, isUnanswered, isNeverApplied }: Step & { begin: number; end: number },
  state: Map<string, State>,
): readonly Operation[] {
  const target = tasks[task] ?? '';
  const { version, isLive } = state.get(target) ?? { version: 0, isLive: false };
  const times = [begin, end] as const;
  const shown = [...state].filter(([, each]) => each.isLive);
  if (action === 'list') {
    return [list(times, Object.fromEntries(shown.map(([origin, each]) => [origin, each.version])))];
  }
  if (action === 'stats') return [operation('stats', times, { total: shown.length })];
  const isRefused = action === 'restore' ? isLive : !isLive;
  if (isRefused) {
    const refusal = action === 'restore' ? refused(409, 'task_not_deleted') : refused(404);
    return [operation(action, times, { target, ...refusal })];
  }
  if (action === 'get') return [operation('get', times, { target, version })];
  const isUnknown = isUnanswered && writes.includes(action);
  if (isUnknown && isNeverApplied) return [operation(action, times, { target, outcome: 'unknown' })];
  const next = { version: action === 'delete' ? version : version + 1, isLive: action !== 'delete' };
  state.set(target, next);
  if (isUnknown) return [operation(action, times, { target, outcome: 'unknown' })];
  return [operation(action, times, { target, ...(action !== 'delete' && { version: next.version }) })];
}

const execution = fc.array(step, { maxLength: 60 }).map(execute);

/** What an operation returns: versions by task. */
function shownBy({ kind, target, version, items }: Operation): readonly (readonly [string, number])[] {
  if (kind === 'list') return (items ?? []).map((item) => [item.origin, item.version] as const);
  return kind === 'get' && target !== undefined && version !== undefined ? [[target, version]] : [];
}

/** All variants in which one read returns a version below one that was acknowledged before it started. */
function mutations(history: readonly Operation[]): readonly (readonly Operation[])[] {
  return history.flatMap((read) =>
    shownBy(read).flatMap(([origin]) => {
      const earlier = history.filter(
        ({ target, outcome, completedAt }) =>
          target === origin && outcome === 'ok' && completedAt < read.invokedAt,
      );
      const minimum = Math.max(0, ...earlier.map(({ version }) => version ?? 0));
      const tooOld = Array.from({ length: Math.max(0, minimum - 1) }, (_, n) => n + 1);
      return tooOld.map((version) =>
        history.map((each) => (each === read ? showing(read, origin, version) : each)),
      );
    }),
  );
}

function showing(read: Operation, origin: string, version: number): Operation {
  if (read.kind === 'get') return { ...read, version };
  const items = (read.items ?? []).map((item) => (item.origin === origin ? { ...item, version } : item));
  return { ...read, items };
}

describe('the checker', () => {
  it('raises no alarm on any linearizable execution', () => {
    const property = fc.property(execution, (history) => {
      expect(check(history)).toEqual([]);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('raises an alarm whenever one read of such an execution returns an older version', () => {
    const property = fc.property(execution, fc.nat(), (history, choice) => {
      const mutated = mutations(history);
      fc.pre(mutated.length > 0);
      expect(check(mutated[choice % mutated.length] ?? [])).not.toEqual([]);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});
