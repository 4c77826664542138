import { LineOutput } from './line-output.js';

let written: string[];
let output: LineOutput;
beforeEach(() => {
  written = [];
  output = new LineOutput({ write: (text) => written.push(text) });
});

describe('the output of lines', () => {
  it('writes a line that must not wait at once, after those that wait', () => {
    output.writeSoon('a\n');
    expect(written).toEqual([]);
    output.write('b\n');
    output.flush();
    expect(written).toEqual(['a\nb\n']);
  });

  it('writes a line that may wait by itself, together with others', async () => {
    output.writeSoon('a\n');
    output.writeSoon('b\n');
    const until = performance.now() + 5000;
    while (written.length === 0 && performance.now() < until) await new Promise((next) => setImmediate(next));
    expect(written).toEqual(['a\nb\n']);
  });

  it('lets no more than a few lines wait', () => {
    for (let n = 0; n < 164; n++) output.writeSoon(`${'x'.repeat(99)}\n`);
    expect(written.join('')).toHaveLength(16_400);
  });
});
