import { describe, expect, it } from 'vitest';
import { certificateAge, certificateFault } from './certificate';

describe('a certificate', () => {
  const hour = { issued_at_unix_ms: 0, expires_at_unix_ms: 3_600_000 };
  it('is well until it should have been renewed', () => {
    expect(certificateAge(hour, 900_000)).toMatchObject({ share: 0.25, tone: 'ok', leftMs: 2_700_000 });
    expect(certificateAge(hour, 3_600_000 - 25 * 60_000)).toMatchObject({ tone: 'ok' });
    expect(certificateAge(hour, 3_600_000 - 20 * 60_000)).toMatchObject({ tone: 'warn' });
    expect(certificateAge(hour, 3_600_000)).toMatchObject({ share: 1, tone: 'bad' });
  });

  it('of a short life is renewed at half of it, give or take', () => {
    const short = { issued_at_unix_ms: 0, expires_at_unix_ms: 40 * 60_000 };
    expect(certificateAge(short, 23 * 60_000)).toMatchObject({ tone: 'ok' });
    expect(certificateAge(short, 25 * 60_000)).toMatchObject({ tone: 'warn' });
  });

  it('of which our clock is behind is new', () => {
    expect(certificateAge(hour, -5_000)).toMatchObject({ share: 0, tone: 'ok' });
  });
});

describe('of several instances', () => {
  const until = (expires_at_unix_ms: number) => ({ certificate: { issued_at_unix_ms: expires_at_unix_ms - 3_600_000, expires_at_unix_ms } });
  const [fresh, late, over] = [until(3_600_000), until(1_000_000), until(-1)];
  it('the worst is told, with how many it is true of', () => {
    expect(certificateFault([fresh, { certificate: null }, {}], 0)).toBeNull();
    expect(certificateFault([late], 0)).toEqual({ tone: 'warn', word: 'its certificate not renewed in time' });
    expect(certificateFault([fresh, late, over], 0)).toEqual({ tone: 'bad', word: '1 of 3 certificates expired' });
  });
});
