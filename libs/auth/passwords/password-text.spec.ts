import { isOpaqueString, preparePassword } from './password-text.js';

describe('a password as RFC 8265 prepares it', () => {
  it.each([
    ['composes accents', 'Cafe\u0301 au lait', 'Caf\u00E9 au lait'],
    [
      'makes each blank U+0020',
      'correct\u00A0horse\u3000battery\u2003staple',
      'correct horse battery staple',
    ],
    ['keeps capitals, widths and ligatures', 'ＡＢＣ ﬁ ß Σς', 'ＡＢＣ ﬁ ß Σς'],
    ['keeps blanks at the ends', ' correct horse ', ' correct horse '],
  ])('%s', (_, given, prepared) => {
    expect(preparePassword(given)).toBe(prepared);
  });

  it.each([
    'correct horse battery',
    'пароль из слов',
    '正しい馬の電池',
    'π is 3.14159…',
    '😀😀😀',
    'می\u200Cخواهم',
    'क्\u200Dष',
  ])('may be %j', (password) => {
    expect(isOpaqueString(password)).toBe(true);
  });

  it.each([
    ['a tab', 'correct\thorse'],
    ['a line break', 'correct\nhorse'],
    ['an escape', 'correct\u001Bhorse'],
    ['a zero width space', 'correct\u200Bhorse'],
    ['a joiner beside a blank', 'correct \u200Dhorse'],
    ['a soft hyphen', 'cor\u00ADrect'],
    ['a mark of direction', '\u202Ecorrect'],
    ['a conjoining Jamo', '\u1100\u1100'],
    ['a character that is not assigned', 'correct\u0378'],
    ['one for private use', 'correct\uE000'],
    ['a lone surrogate', 'correct\uD800'],
    ['nothing', ''],
  ])('may not have %s', (_, password) => {
    expect(isOpaqueString(password)).toBe(false);
  });
});
