import { WeakPassword } from '../auth.errors.js';
import { PasswordStrength } from './password-strength.js';

const ada = { email: 'ada.lovelace@example.com', names: ['Ada Lovelace'] };
const strength = new PasswordStrength();
const judge = (password: string, own = ada) => strength.isWeak(password, own);

describe('a new password', () => {
  it.each([
    ...[
      'passwordpassword',
      'Password1234',
      'P@ssw0rd1234',
      'iloveyouiloveyou',
      'administrator',
      'letmeinletmein',
    ],
    ...['123456789012', '012345678901', 'abcdefghijkl', 'qwertyuiopas', 'qwerty123456', '1q2w3e4r5t6y'],
    ...[
      'aaaaaaaaaaaa',
      '000000000000',
      'abcabcabcabc',
      '111111222222',
      'x'.repeat(128),
      '1234567890'.repeat(12),
    ],
    ...['password1'.repeat(14).slice(0, 128)],
    ...[
      'ada.lovelace@example.com',
      'ADA.LOVELACE@EXAMPLE.COM',
      'adalovelace123',
      'Lovelace.Ada.20',
      'LovelaceAda1!',
    ],
    ...['example.com123', 'Ada Lovelace!', 'taskapi12345'],
  ])('that is easy to guess is refused: %s', (password) => {
    expect(judge(password)).toBe(true);
  });

  it.each([
    ...['correct horse battery staple', 'correct horse battery', 'kj3#Vd8!pQz1', 'Vk9w-Lm2x-Tq7r'],
    ...['мойпарольмой дом', '正しい馬の電池の釘です', 'Canada in autumn, mostly'],
    // Weak at one end alone.
    ...[`${'password1'.repeat(4)}kj3#Vd8!pQz1Lm2x`, `kj3#Vd8!pQz1Lm2x${'0'.repeat(40)}`],
  ])('that is not is taken: %s', (password) => {
    expect(judge(password)).toBe(false);
  });

  it('is named by its field', () => {
    const { errors } = new WeakPassword('new_password');
    expect(errors).toEqual([expect.objectContaining({ pointer: '/new_password', code: 'weak_password' })]);
  });

  it.each([
    ...[
      'Welcome2024!',
      'Summer2024!!',
      'password2024!',
      'p a s s w o r d',
      '!!monkey--1990',
      'P-a-s-s-w-o-r-d-1',
    ],
    'Countess 2024!',
  ])('that is one word with something around it is refused: %s', (password) => {
    expect(judge(password, { ...ada, names: ['Ada Lovelace', 'Countess'] })).toBe(true);
  });

  it.each([
    ['composed', 'Bj\u00F6rn \u00C5ngstr\u00F6m'],
    ['decomposed', 'Bjo\u0308rn A\u030Angstro\u0308m'],
  ])('that is a name is refused, however its accents were typed: %s', (_, name) => {
    expect(judge('bj\u00F6rn\u00E5ngstr\u00F6m', { email: 'bj@example.com', names: [name] })).toBe(true);
  });

  it('may be of a user whose names are short or look like a pattern of a regular expression', () => {
    expect(judge('correct horse battery', { email: 'a@b.co', names: ['(.*)+'] })).toBe(false);
  });
});
