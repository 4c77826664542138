import { splitAddress } from './address.js';

describe('the address of a request', () => {
  it.each([
    ['/v1/tasks', '/v1/tasks', ''],
    ['/v1/tasks?', '/v1/tasks', ''],
    ['/v1/tasks?q=why?&tag=a#b', '/v1/tasks', 'q=why?&tag=a#b'],
    ['/v1/tasks#q=a?b', '/v1/tasks', 'q=a?b'],
  ])('%s ends its path at the first delimiter', (address, path, query) => {
    expect(splitAddress(address)).toEqual({ path, query });
  });
});
