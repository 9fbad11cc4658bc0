// What a subject says: the work it names, and the channel that it came by. Pure.
//
// Refuses to obey control characters: they are made visible.

import { visible } from './lines';

/**
 * What was done, without the prefix that the channel says already: `POST /v1/orders` of
 * `http.handle:POST//v1/orders`, `inventory/Reserve` of `rpc.call:inventory/Reserve`.
 */
export function nameOf(told: string): string {
  const subject = visible(told);
  const prefix = /^(http|rpc|event|job|workflow|user)\.[a-z_]+:/.exec(subject);
  if (prefix === null) return subject === '' ? '(not told)' : subject;
  const rest = subject.slice(prefix[0].length);
  // Of a call to somebody without a name here, the name is empty.
  if (prefix[1] !== 'http') return rest.replace(/^\//, '');
  const cut = rest.indexOf('/');
  return (cut < 0 ? rest : `${rest.slice(0, cut)} ${rest.slice(cut + 1)}`).trim();
}

/** The channel a subject names; empty when it names none. */
export function channelOf(subject: string): string {
  return /^(http|rpc|event|job|workflow|user)\.[a-z_]+:/.exec(subject)?.[1] ?? '';
}
