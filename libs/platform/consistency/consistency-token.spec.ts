import { ConsistencyTokens } from './consistency-token.js';

const secret = 'x'.repeat(32);
const [ada, bob] = ['019aa000-0000-7000-8000-00000000000a', '019aa000-0000-7000-8000-00000000000b'];
const here = '0123456789abcdef00000001000000000a0b0c0d';
const elsewhere = 'fedcba98765432100000000300000000ffffffff';
const positions = [here, elsewhere];

describe('a consistency token', () => {
  const tokens = new ConsistencyTokens(secret);
  const token = tokens.issue(ada, positions);

  it('tells its positions to any process with the same key', () => {
    expect(tokens.read(ada, token)).toEqual(positions);
    expect(new ConsistencyTokens(secret).read(ada, token)).toEqual(positions);
    expect(tokens.read(ada, tokens.issue(ada, [here]))).toEqual([here]);
    expect(tokens.read(ada, tokens.issue(ada, []))).toEqual([]);
  });

  it('tells nothing to one with another key, or with one of its own', () => {
    expect(new ConsistencyTokens('y'.repeat(32)).read(ada, token)).toEqual([]);
    expect(new ConsistencyTokens(undefined).read(ada, token)).toEqual([]);
    const own = new ConsistencyTokens(undefined);
    expect(own.read(ada, own.issue(ada, positions))).toEqual(positions);
  });

  it('of another user counts as none', () => {
    expect(tokens.read(bob, token)).toEqual([]);
  });

  it('shows nobody what is in it, nor that two are of the same position', () => {
    const bytes = Buffer.from(token, 'base64url').toString('hex');
    for (const position of positions)
      for (const part of [position.slice(0, 16), position.slice(16), position.slice(32)]) {
        expect(bytes).not.toContain(part);
        expect(token).not.toContain(part);
      }
    expect(tokens.issue(ada, positions)).not.toBe(token);
  });

  it('counts as none when it is cut short, grown or changed in any place', () => {
    for (let length = 0; length < token.length; length++)
      expect(tokens.read(ada, token.slice(0, length))).toEqual([]);
    for (const more of ['A', '=', ' ']) expect(tokens.read(ada, token + more)).toEqual([]);
    for (let n = 0; n < token.length; n++) {
      const other = token[n] === '0' ? '1' : '0';
      expect(tokens.read(ada, token.slice(0, n) + other + token.slice(n + 1))).toEqual([]);
    }
  });

  it('counts as none when it is no text of ours at all, such as one of an earlier version', () => {
    const earlier = `${here.slice(16)}.${'a'.repeat(22)}`;
    for (const text of [undefined, '', '.', here, earlier, 'é'.repeat(50)])
      expect(tokens.read(ada, text)).toEqual([]);
    expect(tokens.read(ada, [token, token])).toEqual([]);
    expect(tokens.read(ada, 'a'.repeat(100_000))).toEqual([]);
  });

  it('goes into a header as it is, however many databases there are', () => {
    expect(token).toMatch(/^[\w-]{20,200}$/);
    const many = Array.from({ length: 20 }, (_, n) => n.toString(16).padStart(16, '0') + here.slice(16));
    const long = tokens.issue(ada, many);
    expect(long).toMatch(/^[\w-]{20,500}$/);
    expect(tokens.read(ada, long)).toEqual(many.slice(0, 16));
  });
});
