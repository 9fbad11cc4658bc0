// States as shape + word + colour, so that none of the three alone carries the meaning.
import type { ComponentChildren } from 'preact';
import { Icon, kindIcon } from './icon';

export type Tone = 'ok' | 'warn' | 'bad' | 'busy' | 'idle';

const SHAPES: Record<Tone, string> = {
  ok: 'M5 5m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0',
  warn: 'M5 .5L9.700 9H.300z',
  bad: 'M1 1h8v8H1z',
  busy: 'M5 1a4 4 0 0 1 0 8M5 5m-3.500 0a3.500 3.500 0 1 0 7 0a3.500 3.500 0 1 0-7 0',
  idle: 'M5 5m-3.300 0a3.300 3.300 0 1 0 6.600 0a3.300 3.300 0 1 0-6.600 0',
};

/** Only the shape; `label` is read aloud and shown on hover. */
export function Dot({ tone, label }: { tone: Tone; label?: string }) {
  const hollow = tone === 'idle' || tone === 'busy';
  const aria = label ? { role: 'img' as const, 'aria-label': label } : { 'aria-hidden': true as const };
  return (
    <svg class={`dot ${tone}`} width="10" height="10" viewBox="0 0 10 10" {...aria}>
      {label && <title>{label}</title>}
      <path d={SHAPES[tone]} fill={hollow ? 'none' : 'currentColor'} stroke="currentColor" stroke-width={hollow ? 1.6 : 0} />
    </svg>
  );
}

/** Shape and word on a soft ground. */
export function StatusBadge({ tone, children, title }: { tone: Tone; children: ComponentChildren; title?: string }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      <Dot tone={tone} />
      {children}
    </span>
  );
}

const OP_TONES: Record<string, [Tone, string]> = {
  SUCCESS: ['ok', 'ok'],
  PENDING: ['busy', 'running'],
  ERROR: ['bad', 'failed'],
  TIMEOUT: ['bad', 'timed out'],
  ABANDONED: ['warn', 'abandoned'],
};

/** Tone and word of an operation's status. */
export const opStatus = (status: string): [Tone, string] => OP_TONES[status] ?? ['idle', status.toLowerCase()];

export function OpStatusBadge({ status }: { status: string }) {
  const [tone, word] = opStatus(status);
  return <StatusBadge tone={tone}>{word}</StatusBadge>;
}

const HEALTH_TONES: Record<string, Tone> = { healthy: 'ok', unhealthy: 'bad', draining: 'warn', connected: 'ok', returning: 'warn', active: 'ok', revoked: 'idle' };

/** Tone of an instance's health or status, or a service's status. */
export const healthTone = (health: string): Tone => HEALTH_TONES[health] ?? 'idle';

export function HealthBadge({ health, title }: { health: string; title?: string }) {
  return (
    <StatusBadge tone={healthTone(health)} {...(title ? { title } : {})}>
      {health}
    </StatusBadge>
  );
}

/** `http`, `rpc`, `event`, `job`, `workflow`, `user`: icon and word in the colour of the kind. */
export function KindTag({ kind, short }: { kind: string; short?: boolean }) {
  return (
    <span class={`kind ${kind}`} title={kind}>
      <Icon name={kindIcon(kind)} size={14} {...(short ? { label: kind } : {})} />
      {!short && kind}
    </span>
  );
}
