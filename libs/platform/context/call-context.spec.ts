import { CallContext, currentCall, outsideOfCalls } from './call-context.js';

describe('a call', () => {
  it('is the current one in all that it begins, and no other one', async () => {
    const [one, two] = [new CallContext({ requestId: '1' }), new CallContext({ requestId: '2' })];
    const idOf = async () => {
      await Promise.resolve();
      return currentCall()?.requestId;
    };
    await expect(Promise.all([one.run(idOf), two.run(idOf)])).resolves.toEqual(['1', '2']);
    expect(currentCall()).toBeUndefined();
  });

  it('is not the current one of work that serves others', () => {
    new CallContext({ requestId: '1' }).run(() => {
      expect(outsideOfCalls(() => currentCall())).toBeUndefined();
      expect(currentCall()?.requestId).toBe('1');
    });
  });
});
