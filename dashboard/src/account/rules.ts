// Names and passwords of people, and which field a refusal belongs to. Pure. The runtime decides; what it would refuse is said
// while one types.

export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 256;
const NAME_CHARS_MAX = 64;

/** The token in `#token=…`; empty when there is none. */
export function tokenOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token')?.trim() ?? '';
}

/** What is wrong with the name of an account or token to make. */
export function nameFault(name: string): string | null {
  if (name === '') return 'Enter a name.';
  if (name === 'local') return '“local” is the operator’s socket; take another name.';
  if (name.length > NAME_CHARS_MAX) return `Take a name of at most ${NAME_CHARS_MAX} characters.`;
  return /^[a-z0-9._-]+$/.test(name) ? null : 'Use a–z, 0–9, “.”, “_” and “-” only.';
}

/** What is wrong with a password to set. Characters count as the runtime counts them. */
export function passwordFault(password: string): string | null {
  const length = [...password].length;
  if (length < PASSWORD_CHARS_MIN) return `Use at least ${PASSWORD_CHARS_MIN} characters; ${length} so far.`;
  return length > PASSWORD_CHARS_MAX ? `Use at most ${PASSWORD_CHARS_MAX} characters; ${length} so far.` : null;
}

export type EntryField = 'token' | 'username' | 'password' | 'current' | 'form';

interface Refusal {
  status: number;
  detail: string;
}

/** Which field a refusal of the setup belongs to. */
export function setupField({ status, detail }: Refusal): EntryField {
  if (status === 403) return 'token';
  if (status === 400 || status === 422) return fieldNamed(detail, ['token', 'password', 'username']);
  return status === 409 && !/admin/.test(detail) ? 'username' : 'form';
}

/** Which field a refusal of a change of password belongs to. */
export function passwordField({ status, detail }: Refusal): EntryField {
  if (status !== 400 && status !== 422) return 'form';
  return /present|current/.test(detail) ? 'current' : 'password';
}

/** Which field a refusal of a new account belongs to. */
export function accountField({ status, detail }: Refusal): EntryField {
  if (status === 409) return 'username';
  return status === 400 || status === 422 ? fieldNamed(detail, ['password', 'username']) : 'form';
}

function fieldNamed(detail: string, fields: EntryField[]): EntryField {
  const named = fields.find((it) => detail.includes(it));
  return named ?? (/\bname\b/.test(detail) ? 'username' : 'form');
}

/** Whole seconds left until then, never below 0. */
export const secondsLeft = (untilUnixMs: number, nowUnixMs: number): number => Math.max(0, Math.ceil((untilUnixMs - nowUnixMs) / 1000));
