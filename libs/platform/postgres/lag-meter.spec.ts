import { LagMeter } from './lag-meter.js';
import type { Position } from '../positions/position.js';

const at = (lsn: number): Position => lsn.toString(16).padStart(24, '0');

/** A primary that was seen at 100, 200, 300 … at these moments. */
function meterOf(...moments: number[]): LagMeter {
  const meter = new LagMeter();
  for (const [n, moment] of moments.entries()) meter.sample(at((n + 1) * 100), moment);
  return meter;
}

describe('the lag of a standby', () => {
  it('is the time since the primary was first seen beyond what the standby has', () => {
    const meter = meterOf(1000, 1250, 1500);
    expect(meter.lagMs(at(100), 1600)).toBe(350);
    expect(meter.lagMs(at(199), 1600)).toBe(350);
    expect(meter.lagMs(at(200), 1600)).toBe(100);
    expect(meter.lagMs(at(50), 1600)).toBe(600);
  });

  it('is nothing for one that has all that the primary was seen to have, or more', () => {
    const meter = meterOf(1000, 1250);
    expect(meter.lagMs(at(200), 99_000)).toBe(0);
    expect(meter.lagMs(at(201), 99_000)).toBe(0);
  });

  it('does not grow while the primary writes nothing', () => {
    const meter = meterOf(1000);
    for (let now = 1250; now < 60_000; now += 250) meter.sample(at(100), now);
    expect(meter.lagMs(at(100), 60_000)).toBe(0);
    // Nor does the moment move at which it was first seen there.
    expect(meter.lagMs(at(99), 60_000)).toBe(59_000);
  });

  it('grows on for one that stands still, and is at least ten seconds when the first samples are gone', () => {
    const meter = new LagMeter();
    for (let now = 0; now <= 60_000; now += 250) meter.sample(at(now + 1), now);
    expect(meter.lagMs(at(1), 60_000)).toBeGreaterThanOrEqual(9750);
  });

  it('is not negative where the standby was asked before the primary was seen beyond it', () => {
    expect(meterOf(1000).lagMs(at(50), 900)).toBe(0);
  });

  it('is unknown, and so nothing, after a reset and before the first sample', () => {
    const meter = meterOf(1000, 1250);
    meter.reset();
    expect(meter.lagMs(at(50), 2000)).toBe(0);
    expect(new LagMeter().lagMs(at(50), 2000)).toBe(0);
  });
});
