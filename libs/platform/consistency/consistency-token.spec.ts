import { ConsistencyTokens } from './consistency-token.js';

const secret = 'x'.repeat(32);
const [ada, bob] = ['019aa000-0000-7000-8000-00000000000a', '019aa000-0000-7000-8000-00000000000b'];
const position = '00000001000000000a0b0c0d';
const further = '0000000100000000ffffffff';

describe('a consistency token', () => {
  const tokens = new ConsistencyTokens(secret);
  const token = tokens.issue(ada, position);

  it('tells its position to any process with the same key', () => {
    expect(tokens.read(ada, token)).toBe(position);
    expect(new ConsistencyTokens(secret).read(ada, token)).toBe(position);
  });

  it('tells nothing to one with another key, or with one of its own', () => {
    expect(new ConsistencyTokens('y'.repeat(32)).read(ada, token)).toBeNull();
    expect(new ConsistencyTokens(undefined).read(ada, token)).toBeNull();
    const own = new ConsistencyTokens(undefined);
    expect(own.read(ada, own.issue(ada, position))).toBe(position);
  });

  it('of another user counts as none', () => {
    expect(tokens.read(bob, token)).toBeNull();
  });

  it('is no other position under the same signature', () => {
    expect(tokens.read(ada, token.replace(position, further))).toBeNull();
    // Nor does a piece of the position pass for one of the user's id.
    expect(tokens.read(`${ada} ${position.slice(0, 1)}`, token)).toBeNull();
  });

  it('counts as none when it is cut short, grown or changed in any place', () => {
    for (let length = 0; length < token.length; length++)
      expect(tokens.read(ada, token.slice(0, length))).toBeNull();
    for (const more of ['A', '=', ' ']) expect(tokens.read(ada, token + more)).toBeNull();
    for (let n = 0; n < token.length; n++) {
      const other = token[n] === '0' ? '1' : '0';
      expect(tokens.read(ada, token.slice(0, n) + other + token.slice(n + 1))).toBeNull();
    }
  });

  it('counts as none when it is no text of ours at all', () => {
    for (const text of [undefined, '', '.', position, `${position}.`, `.${position}`, 'é'.repeat(50)])
      expect(tokens.read(ada, text)).toBeNull();
    expect(tokens.read(ada, [token, token])).toBeNull();
    expect(tokens.read(ada, 'a'.repeat(100_000))).toBeNull();
  });

  it('goes into a header as it is', () => {
    expect(token).toMatch(/^[\w.-]{20,100}$/);
  });
});
