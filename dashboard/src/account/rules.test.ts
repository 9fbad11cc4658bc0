import { describe, expect, it } from 'vitest';
import { accountField, nameFault, passwordFault, passwordField, secondsLeft, setupField, tokenOf } from './rules';

describe('the setup token', () => {
  it('is read from the fragment, and absent without one', () => {
    expect(tokenOf('#token=brs_1a%2Fb')).toBe('brs_1a/b');
    expect(tokenOf('#token=+a+')).toBe('a');
    expect(tokenOf('')).toBe('');
    expect(tokenOf('#other=1')).toBe('');
  });
});

describe('names and passwords', () => {
  it('are refused as the runtime refuses them', () => {
    expect(nameFault('a.b_c-9')).toBeNull();
    expect(nameFault('')).toContain('Enter');
    expect(nameFault('Admin')).toContain('a–z');
    expect(nameFault('local')).toContain('socket');
    expect(nameFault('a'.repeat(64))).toBeNull();
    expect(nameFault('a'.repeat(65))).toContain('64');
  });

  it('count characters, not code units', () => {
    expect(passwordFault('🔑'.repeat(11))).toContain('11 so far');
    expect(passwordFault('🔑'.repeat(12))).toBeNull();
    expect(passwordFault('x'.repeat(256))).toBeNull();
    expect(passwordFault('x'.repeat(257))).toContain('257');
  });
});

describe('a refusal', () => {
  it('belongs to the field it is about', () => {
    expect(setupField({ status: 403, detail: 'the setup token is wrong' })).toBe('token');
    expect(setupField({ status: 422, detail: 'a password has 12 to 256 characters' })).toBe('password');
    expect(setupField({ status: 400, detail: '`username` does not fit' })).toBe('username');
    expect(setupField({ status: 409, detail: 'there is an admin already; log in' })).toBe('form');
    expect(setupField({ status: 429, detail: 'wait' })).toBe('form');
    expect(passwordField({ status: 422, detail: 'the present password is wrong' })).toBe('current');
    expect(passwordField({ status: 400, detail: 'a password has 12 characters' })).toBe('password');
    expect(accountField({ status: 409, detail: '`x` exists already' })).toBe('username');
    expect(accountField({ status: 503, detail: 'cannot reach the store' })).toBe('form');
  });
});

it('a wait counts down to zero and not beyond', () => {
  expect(secondsLeft(10_000, 8_001)).toBe(2);
  expect(secondsLeft(10_000, 10_000)).toBe(0);
  expect(secondsLeft(10_000, 99_000)).toBe(0);
});
