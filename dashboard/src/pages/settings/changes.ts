// The audit trail as lines that people read. Pure.
import type { AuditLine } from '@/api/types';
import { besides } from './values';

const ACTIONS: Record<string, string> = {
  'service.create': 'made the service',
  'service.revoke': 'revoked the service',
  'service.key.create': 'added a key to',
  'service.key.revoke': 'revoked a key of',
  'setting.set': 'changed',
  'setting.reset': 'reset',
  'account.create': 'made the account',
  'account.change': 'changed the account',
  'account.delete': 'deleted the account',
  'token.create': 'made the API token',
  'token.revoke': 'revoked the API token',
  'account.password': 'changed the password of',
  'session.begin': 'logged in as',
  'session.end': 'logged out as',
  'backup.take': 'took a backup of the',
};

/** What was done, as words; an action that is not known keeps its own. */
export const actionWords = (action: string): string => ACTIONS[action] ?? action;

/** Details in one line: `1 min → 90 s`, `role admin`; empty when there are none. `target` tells the unit of a setting. */
export function detailWords(detail: unknown, target = ''): string {
  if (typeof detail !== 'object' || detail === null) return detail === null || detail === undefined ? '' : String(detail);
  const it = detail as Record<string, unknown>;
  if ('from' in it && 'to' in it && Object.keys(it).length === 2) return `${inUnitOf(target, it.from)} → ${inUnitOf(target, it.to)}`;
  return Object.entries(it)
    .filter(([, value]) => value !== null && value !== false)
    .map(([key, value]) => (value === true ? key : `${key} ${word(value)}`))
    .join(', ');
}

/** Settings carry their unit in their name. */
function inUnitOf(target: string, value: unknown): string {
  const unit = target.endsWith('_ms') ? 'ms' : /_bytes(_|$)|_bytes_max$/.test(target) ? 'bytes' : null;
  return (typeof value === 'string' ? besides(unit, value) : undefined) ?? word(value);
}

function word(value: unknown): string {
  if (value === null || value === undefined) return 'default';
  if (value === '') return '(empty)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Newer lines before those there are, each once, newest first. */
export function merged(newer: readonly AuditLine[], older: readonly AuditLine[]): AuditLine[] {
  const known = new Set(newer.map((it) => it.id));
  return [...newer, ...older.filter((it) => !known.has(it.id))];
}
