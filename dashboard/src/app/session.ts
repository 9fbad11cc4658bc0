// Who is logged in. Asks once at start, after the stream broke, and after any 401; where nobody is, leads to the login and
// remembers where one was (a path of this console only). A first start leads to the setup.
import { signal } from '@preact/signals';
import { request, useSession, whenNobody } from '@/api/client';
import { probeWith, startLive, stopLive } from '@/api/live';
import { ApiError } from '@/api/problem';
import type { Session } from '@/api/types';
import { href, navigate, place, safePath } from '@/route/router';
import { backoffMs } from '@/api/live';

export type Standing = 'asking' | 'unreachable' | 'nobody' | 'here';

export const session = signal<Session | null>(null);
export const standing = signal<Standing>('asking');

export const isAdmin = (): boolean => session.value?.role === 'admin';

const ENTRY_PATHS = ['/login', '/setup'];
const ask = <T>(path: string) => request<T>(path, { nobodyIsFine: true });

/** A session began (login, setup, or it was there at start). Goes to `next` when one is at an entry page. */
export function enter(it: Session): void {
  session.value = it;
  useSession(it);
  standing.value = 'here';
  if (ENTRY_PATHS.includes(place.peek().path)) navigate(safePath(place.peek().query.get('next'), '/'), { replace: true });
  startLive();
}

/** The session is gone: to the login, which comes back to where one is now. */
export function expired(): void {
  if (standing.peek() === 'nobody') return;
  forget();
  const at = href({ ...place.peek(), hash: '' });
  if (!ENTRY_PATHS.includes(place.peek().path)) navigate(`/login?next=${encodeURIComponent(at)}&expired=true`, { replace: true });
}

/** Logs out here and at the runtime: here first, since what still asks when the runtime has done so is refused. */
export async function leave(): Promise<void> {
  // It is sent at once, with the token that is forgotten then.
  const left = request('/session', { method: 'DELETE', nobodyIsFine: true });
  forget();
  await left.catch(() => {});
  navigate('/login');
}

function forget(): void {
  stopLive();
  session.value = null;
  useSession(null);
  standing.value = 'nobody';
}

/** Asks who one is, until there is an answer. */
export async function startSession(): Promise<void> {
  whenNobody(expired);
  probeWith(stillHere);
  for (let failures = 0; ; failures++) {
    try {
      return await settle();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      standing.value = 'unreachable';
      await new Promise((done) => setTimeout(done, backoffMs(failures, Math.random())));
    }
  }
}

async function settle(): Promise<void> {
  // Asked first, because it is no error to ask it as nobody.
  const { required, signed_in } = await ask<{ required: boolean; signed_in: boolean }>('/setup');
  const found = signed_in ? await whoAmI() : null;
  if (found) return enter(found);
  standing.value = 'nobody';
  const { path } = place.peek();
  if (required && path !== '/setup') navigate(`/setup${location.hash}`, { replace: true });
  if (!required && path !== '/login') {
    const next = path === '/setup' || path === '/' ? '' : `?next=${encodeURIComponent(href({ ...place.peek(), hash: '' }))}`;
    navigate(`/login${next}`, { replace: true });
  }
}

async function whoAmI(): Promise<Session | null> {
  try {
    return await ask<Session>('/session');
  } catch (error) {
    if (error instanceof ApiError && error.nobody) return null;
    throw error;
  }
}

/** For the stream: false when the session is gone (and then one is at the login). */
async function stillHere(): Promise<boolean> {
  const found = await whoAmI();
  if (!found) {
    expired();
    return false;
  }
  session.value = found;
  useSession(found);
  return true;
}
