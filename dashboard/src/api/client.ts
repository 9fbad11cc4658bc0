// The one way to the HTTP API: JSON in and out, refusals as ApiError, the CSRF token on whatever changes something, and a
// lost session handed to whoever registered for it. Refuses nothing of its own; it never retries.
import { ApiError, isAbort, isTooLate, problemOf, unreachable } from './problem';
import type { Session } from './types';

const BASE = '/api/v1';
/** Longest wait for a whole answer: a line that is half dead tells nothing by itself. */
const ANSWER_MS_MAX = 30_000;

export type Query = Record<string, string | number | boolean | null | undefined | string[]>;

let csrfToken = '';
/** Ends what the session asks when it is gone: the answer would be that nobody is there. */
let asking = new AbortController();
let onNobody: () => void = () => {};

/** Called by `app/session.ts` whenever the session changes. Without one, what is asked is given up; what changes something is not. */
export function useSession(session: Session | null): void {
  csrfToken = session?.csrf_token ?? '';
  if (session) return;
  asking.abort();
  asking = new AbortController();
}

/** Called by `app/session.ts`: what to do when an answer says that nobody is logged in. */
export function whenNobody(then: () => void): void {
  onNobody = then;
}

/** `/api/v1` + path + query; empty, null and undefined values are left out. */
export function apiUrl(path: string, query: Query = {}): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((it) => words.append(name, it));
    else if (value !== null && value !== undefined && value !== '') words.set(name, String(value));
  }
  const text = words.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

interface Ask {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** A 401 is an answer here, not a lost session (login itself). */
  nobodyIsFine?: boolean;
}

async function send(path: string, ask: Ask): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const method = ask.method ?? 'GET';
  if (ask.body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrfToken) headers['x-csrf-token'] = csrfToken;
  const body = ask.body === undefined ? null : JSON.stringify(ask.body);
  const ends = [AbortSignal.timeout(ANSWER_MS_MAX)];
  if (method === 'GET') ends.push(asking.signal);
  if (ask.signal) ends.push(ask.signal);
  const signal = AbortSignal.any(ends);
  try {
    return await fetch(apiUrl(path, ask.query), { method, headers, body, signal, credentials: 'same-origin' });
  } catch (error) {
    // Too late is no answer, and no abort.
    throw isAbort(error) ? error : unreachable();
  }
}

/**
 * Asks the API.
 *
 * @throws ApiError when the runtime refuses or does not answer; AbortError (see `isAbort`) when `signal` fires, or the session of a
 * question is gone.
 */
export async function request<T>(path: string, ask: Ask = {}): Promise<T> {
  const answer = await send(path, ask);
  if (answer.ok) return (answer.status === 204 ? undefined : await readJson(answer)) as T;
  const error = await problemOf(answer);
  // A gateway in between answers 502/503/504 while the runtime starts again: the same as no answer.
  if ([502, 504].includes(error.status)) throw unreachable();
  if (error.nobody && !ask.nobodyIsFine) onNobody();
  throw error;
}

async function readJson(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    if (isTooLate(error)) throw unreachable();
    throw new ApiError(0, 'The answer broke off', 'The answer of the runtime broke off. Try again.');
  }
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) => request<T>(path, { ...(query && { query }), ...(signal && { signal }) });
export const post = <T>(path: string, body?: unknown) => request<T>(path, { method: 'POST', body: body ?? {} });
export const put = <T>(path: string, body: unknown) => request<T>(path, { method: 'PUT', body });
export const patch = <T>(path: string, body: unknown) => request<T>(path, { method: 'PATCH', body });
export const del = (path: string) => request<void>(path, { method: 'DELETE' });
