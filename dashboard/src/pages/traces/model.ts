// What a person calls the parts of a trace. Pure.
//
// Refuses to guess: a status or channel that a newer runtime invented is shown by its own word.

/** The channels in the order of their filter. */
export const CHANNELS = ['http', 'rpc', 'event', 'job', 'workflow', 'user'] as const;
/** The statuses in the order of their filter, as the API takes them. */
export const STATUSES = ['success', 'error', 'timeout', 'abandoned', 'pending'] as const;

/** Whether it ended otherwise than well. */
export function hasFailed(status: string): boolean {
  return status !== 'SUCCESS' && status !== 'PENDING' && status !== '';
}

export type Tone = 'ok' | 'bad' | 'warn' | 'run' | 'none';

/** How it stands, for colour and shape. */
export function tone(status: string): Tone {
  switch (status) {
    case 'SUCCESS':
      return 'ok';
    case 'PENDING':
      return 'run';
    case 'TIMEOUT':
    case 'ABANDONED':
      return 'warn';
    case '':
      return 'none';
    default:
      return 'bad';
  }
}

/** Who did the work: of a call, the one that was called. Its colour is the operation's. */
export const doer = (op: { service: string; peer: string }): string => op.peer || op.service;

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/** The trace that a text names, as a UUID or as the 32 digits of the W3C; undefined for others. */
export function traceIdIn(text: string): string | undefined {
  const trimmed = text.trim();
  return UUID.test(trimmed) ? trimmed.toLowerCase() : undefined;
}
