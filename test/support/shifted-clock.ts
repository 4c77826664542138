/**
 * For `node --import`: the wall clock of the process is off by CLOCK_SHIFT_MS. Timers and `performance.now()` are not.
 * Node strips the types itself, so that the compiled app can load it.
 */
const shiftMs = Number(process.env['CLOCK_SHIFT_MS']);
const { now } = Date;

const shiftedNow = (): number => now() + shiftMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, given: readonly unknown[], newTarget) =>
    Reflect.construct(target, given.length === 0 ? [shiftedNow()] : given, newTarget) as Date,
  get: (target, property, receiver): unknown =>
    property === 'now' ? shiftedNow : Reflect.get(target, property, receiver),
});
