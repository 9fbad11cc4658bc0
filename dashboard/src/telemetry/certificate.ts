// How old certificates of instances are, and which of them were not renewed in time. Pure.
import type { Certificate } from '@/api/types';

export interface CertificateAge {
  /** Share of its life that is over, 0 to 1. */
  share: number;
  tone: 'ok' | 'warn' | 'bad';
  leftMs: number;
}

const MINUTE_MS = 60_000;
/** How long before the end a certificate is renewed, how much that is spread, how long a renewal may take to be heard of. */
const MARGIN_MS_MAX = 30 * MINUTE_MS;
const SPREAD_MS_MAX = 5 * MINUTE_MS;
const NEWS_MS_MAX = MINUTE_MS;

/** How old a certificate is. Services renew 25 to 30 minutes before the end, of a short life at half of it: past that, something is wrong. */
export function certificateAge(it: Certificate, nowUnixMs: number): CertificateAge {
  const life = Math.max(1, it.expires_at_unix_ms - it.issued_at_unix_ms);
  const leftMs = it.expires_at_unix_ms - nowUnixMs;
  const share = Math.min(1, Math.max(0, (nowUnixMs - it.issued_at_unix_ms) / life));
  const late = Math.min(MARGIN_MS_MAX, life / 2) - Math.min(SPREAD_MS_MAX, life / 12) - Math.min(NEWS_MS_MAX, life / 24);
  return { share, leftMs, tone: leftMs <= 0 ? 'bad' : leftMs < late ? 'warn' : 'ok' };
}

/** What is wrong with the certificates of some instances; null when nothing is. The worst is told, with how many it is true of. */
export function certificateFault(instances: readonly { certificate?: Certificate | null }[], nowUnixMs: number): { tone: 'warn' | 'bad'; word: string } | null {
  const tones = instances.map((it) => (it.certificate ? certificateAge(it.certificate, nowUnixMs).tone : 'ok'));
  const many = (tone: string) => tones.filter((it) => it === tone).length;
  const [expired, late] = [many('bad'), many('warn')];
  const of = (count: number) => (instances.length > 1 ? `${count} of ${instances.length} certificates` : 'its certificate');
  if (expired > 0) return { tone: 'bad', word: `${of(expired)} expired` };
  return late > 0 ? { tone: 'warn', word: `${of(late)} not renewed in time` } : null;
}
