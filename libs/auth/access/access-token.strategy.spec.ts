import { bearerTokenOf } from './access-token.strategy.js';

describe('the bearer token of a request', () => {
  it('stands after the scheme, whose case means nothing', () => {
    for (const header of ['Bearer a.b-_.c~+/=', 'bearer a.b-_.c~+/=', 'BEARER  a.b-_.c~+/='])
      expect(bearerTokenOf(header)).toBe('a.b-_.c~+/=');
  });

  it('is nothing else', () => {
    for (const header of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Basic abc',
      'Bearer a b',
      'xBearer a',
      'a'.repeat(16_000),
    ])
      expect(bearerTokenOf(header)).toBeNull();
  });
});
