import fc from 'fast-check';
import type { Kind, Operation } from './history.js';
import { checkLists } from './list-checker.js';
import { operation, refused } from './operation-fixture.js';

const users = ['ada', 'bob', 'eve'] as const;
const lists = ['l', 'm'] as const;
const kinds: readonly Kind[] = [
  ...(['items.read', 'items.read', 'items.patch', 'items.patch', 'items.move', 'lists.read'] as const),
  ...(['lists.read', 'items.add', 'items.delete', 'members.join', 'members.join', 'members.leave'] as const),
];

/** The operation, its duration, and the moment within it at which it takes effect. */
const step = fc.record({
  kind: fc.constantFrom(...kinds),
  user: fc.constantFrom(...users),
  member: fc.constantFrom(...users),
  list: fc.constantFrom(...lists),
  item: fc.constantFrom('i', 'j', 'k'),
  startAfter: fc.nat(8),
  takes: fc.integer({ min: 1, max: 30 }),
  happensAt: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'unanswered', 'never applied'),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Item {
  readonly list: string;
  readonly version: number;
}

/** Two lists of Ada's, with an item in the first one. */
class Model {
  private readonly items = new Map<string, Item>();
  private readonly gone = new Set<string>();
  private readonly joins = new Map<string, { readonly version: number; readonly isMember: boolean }>();

  constructor() {
    for (const list of lists) this.joins.set(`ada ${list}`, { version: 1, isMember: true });
    this.items.set('i', { list: 'l', version: 1 });
  }

  /** Applies the step and returns what its caller learns. */
  apply({ kind, user, member, list, item }: Step): Partial<Operation> {
    if (kind === 'members.join' || kind === 'members.leave') return this.change(kind, list, member);
    if (kind === 'lists.read')
      return this.isMember(user, list) ? this.shown(list) : refused(403, 'not_a_member');
    const known = this.items.get(item);
    if (kind === 'items.add') {
      if (!this.isMember(user, list)) return refused(403, 'not_a_member');
      // Ids are used once.
      if (known !== undefined || this.gone.has(item)) return refused(409);
      return this.store(item, { list, version: 1 });
    }
    if (known === undefined) return refused(404);
    const touched = kind === 'items.move' ? [known.list, list] : [known.list];
    if (!touched.every((each) => this.isMember(user, each))) return refused(403, 'not_a_member');
    if (kind === 'items.read') return { place: known.list, version: known.version };
    if (kind === 'items.delete') {
      this.items.delete(item);
      this.gone.add(item);
      return { place: known.list, version: known.version };
    }
    return this.store(item, { list: touched.at(-1) ?? list, version: known.version + 1 });
  }

  private store(id: string, item: Item): Partial<Operation> {
    this.items.set(id, item);
    return { place: item.list, version: item.version };
  }

  private shown(list: string): Partial<Operation> {
    const here = [...this.items].filter(([, item]) => item.list === list);
    const items = here.map(([origin, { version }]) => ({
      origin,
      taskId: origin,
      version,
      value: `${version}`,
    }));
    return { items, isWhole: true };
  }

  private change(kind: Kind, list: string, member: string): Partial<Operation> {
    const isJoin = kind === 'members.join';
    const known = this.joins.get(`${member} ${list}`) ?? { version: 0, isMember: false };
    const isChanged = known.isMember !== isJoin;
    const version = known.version + (isJoin && isChanged ? 1 : 0);
    this.joins.set(`${member} ${list}`, { version, isMember: isJoin });
    return { version, isChanged };
  }

  private isMember(user: string, list: string): boolean {
    return this.joins.get(`${user} ${list}`)?.isMember === true;
  }
}

/** A linearizable execution: each operation takes effect at one moment between its start and its end. */
function execute(steps: readonly Step[]): readonly Operation[] {
  const model = new Model();
  const created = lists.map((list) =>
    operation('lists.create', [-2, -1], { user: 'ada', member: 'ada', target: list, list, version: 1 }),
  );
  const added = operation('items.add', [-2, -1], {
    user: 'ada',
    target: 'i',
    list: 'l',
    place: 'l',
    version: 1,
  });
  let time = 0;
  const timed = steps.map((each) => {
    time += each.startAfter;
    return { ...each, begin: time, end: time + each.takes, moment: time + each.happensAt * each.takes };
  });
  return [...created, added, ...timed.sort((a, b) => a.moment - b.moment).map((each) => done(each, model))];
}

function done(step: Step & { begin: number; end: number }, model: Model): Operation {
  const { kind, user, list, member, item, begin, end, fate } = step;
  const isRead = kind.endsWith('.read');
  const about = {
    user,
    target: kind === 'lists.read' ? list : item,
    ...((kind === 'items.add' || kind === 'items.move') && { list }),
    ...(kind.startsWith('members.') && { list, member }),
  };
  if (fate === 'answered') return operation(kind, [begin, end], { ...about, ...model.apply(step) });
  if (fate === 'unanswered' && !isRead) model.apply(step);
  return operation(kind, [begin, end], { ...about, outcome: isRead ? 'failed' : 'unknown' });
}

const execution = fc.array(step, { minLength: 20, maxLength: 60 }).map(execute);

describe('the checker of shared lists', () => {
  it('raises no alarm on any linearizable execution', () => {
    const property = fc.property(execution, (history) => {
      expect(checkLists(history)).toEqual([]);
    });
    fc.assert(property, { numRuns: 1500 });
  });

  it('raises an alarm whenever a read of an item shows a version older than one acknowledged before', () => {
    const property = fc.property(execution, fc.nat(), (history, choice) => {
      const stale = history.flatMap((read) => {
        if (read.kind !== 'items.read' || read.version === undefined) return [];
        const isKnown = history.some(
          ({ target, kind, outcome, completedAt, version = 0 }) =>
            kind.startsWith('items.') &&
            target === read.target &&
            outcome === 'ok' &&
            completedAt < read.invokedAt &&
            version > 1,
        );
        return isKnown ? [history.map((each) => (each === read ? { ...each, version: 1 } : each))] : [];
      });
      fc.pre(stale.length > 0);
      expect(checkLists(stale[choice % stale.length] ?? [])).not.toEqual([]);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
