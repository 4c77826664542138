import { emailAddress } from './auth.schemas.js';

describe('emailAddress', () => {
  it.each(['ada@example.com', "o'hara+tag@mail.example.co.uk", 'a@b.co', `${'a'.repeat(64)}@example.com`])(
    'takes %s',
    (address) => {
      expect(emailAddress().parse(address)).toBe(address);
    },
  );

  it('turns capitals into small letters', () => {
    expect(emailAddress().parse('Ada.Lovelace@Example.COM')).toBe('ada.lovelace@example.com');
  });

  it.each([
    ['no @', 'ada.example.com'],
    ['no dot in the domain', 'ada@localhost'],
    ['a blank', 'ada lovelace@example.com'],
    ['a line break', 'ada@example.com\n'],
    ['a second header', 'ada@example.com\r\nBcc: eve@example.com'],
    ['a second address', 'ada@example.com,eve@example.com'],
    ['a display name', 'Ada <ada@example.com>'],
    ['a NUL', 'ada\u0000@example.com'],
    ['a letter that is not ASCII', 'adä@example.com'],
    ['255 characters', `ada@${'a'.repeat(59)}.${'a'.repeat(63)}.${'a'.repeat(63)}.${'a'.repeat(60)}.com`],
    ['a label that begins with a hyphen', 'ada@-example.com'],
    ['nothing', ''],
  ])('refuses one with %s', (_, address) => {
    expect(emailAddress().safeParse(address).success).toBe(false);
  });

  it('judges a megabyte by its length alone', () => {
    const { error } = emailAddress().safeParse('a.'.repeat(500_000));
    expect(error?.issues.map(({ code }) => code)).toEqual(['too_big']);
  });
});
