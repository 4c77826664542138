import { WaitingCalls } from './waiting-calls.js';

describe('calls that wait', () => {
  it('are bounded for each user and for all', () => {
    const waiting = new WaitingCalls(4, 2);
    const first = waiting.begin('one');
    expect([first, waiting.begin('one')]).not.toContain(null);
    expect(waiting.begin('one')).toBeNull();
    expect([waiting.begin('other'), waiting.begin(null)]).not.toContain(null);
    expect([waiting.begin('another'), waiting.begin(null)]).toEqual([null, null]);
    first?.();
    expect(waiting.begin('one')).not.toBeNull();
  });
});
