import { releaseMemory } from './release-memory.js';

const mebibyte = 1024 * 1024;

/** Memory in use while a million objects are; they are garbage afterwards. */
function fillMemory(): number {
  const objects = Array.from({ length: 1_000_000 }, (_, n) => ({ n, text: `text ${n}` }));
  return objects.length > 0 ? process.memoryUsage().heapUsed : 0;
}

describe('releaseMemory', () => {
  it('gives back what is garbage', () => {
    const filled = fillMemory();
    releaseMemory();
    expect(process.memoryUsage().heapUsed).toBeLessThan(filled - 40 * mebibyte);
  });

  it('leaves no function to collect garbage behind', () => {
    releaseMemory();
    expect(globalThis.gc).toBeUndefined();
  });
});
