// Where one is: path, query and fragment as a signal, changed only through here. Same-origin paths only; a `next` that
// leads elsewhere is refused (open redirect). Links are ordinary <a href="/…">: one listener turns them into navigation.
import { computed, signal, type ReadonlySignal } from '@preact/signals';

export interface Place {
  path: string;
  query: URLSearchParams;
  hash: string;
}

const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search), hash: location.hash });

/** A name that no other entry of this tab's history has, whenever its document was loaded. */
const mark = (): { entry: string } => ({ entry: `${performance.timeOrigin}-${++marks}` });
let marks = 0;

/** The name of the entry of the history one is at: going back comes to the same one. */
export const entry = (): string => (history.state as { entry?: string } | null)?.entry ?? '';

const atStart: Place = typeof location === 'undefined' ? { path: '/', query: new URLSearchParams(), hash: '' } : here();
export const place = signal<Place>(atStart);
export const path: ReadonlySignal<string> = computed(() => place.value.path);

let leaving = new AbortController();

/** Aborts when the path changes (not when only the query does). */
export const pageSignal = (): AbortSignal => leaving.signal;

export const href = (at: Place): string => {
  const query = at.query.toString();
  return `${at.path}${query ? `?${query}` : ''}${at.hash}`;
};

/** Goes to a path of the console, query included. `replace` leaves no entry in the history. */
export function navigate(to: string, how: { replace?: boolean } = {}): void {
  const url = new URL(safePath(to, '/'), location.origin);
  const same = url.pathname + url.search + url.hash === location.pathname + location.search + location.hash;
  if (how.replace || same) history.replaceState(history.state, '', url);
  else history.pushState(mark(), '', url);
  arrive(true);
}

/** Changes parts of the query; null removes. Keeps the path, replaces the history entry unless `push`. */
export function setQuery(change: Record<string, string | null>, how: { push?: boolean } = {}): void {
  const query = new URLSearchParams(place.peek().query);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const to = href({ ...place.peek(), query });
  if (how.push) history.pushState(mark(), '', to);
  else history.replaceState(history.state, '', to);
  arrive(false);
}

/** `next` if it is a path of this console, else `otherwise`. Refuses other origins, `//host`, backslashes and control characters. */
export function safePath(next: string | null | undefined, otherwise: string): string {
  if (!next || !next.startsWith('/') || next.startsWith('//') || /[\\\u0000-\u001f\u007f]/.test(next)) return otherwise;
  const base = 'http://console.invalid';
  const url = URL.parse ? URL.parse(next, base) : new URL(next, base);
  return url && url.origin === base && !url.pathname.startsWith('//') && !url.pathname.startsWith('/api/') ? next : otherwise;
}

/** Values of `:names` in `pattern` if `at` fits; null otherwise. */
export function matchPath(pattern: string, at: string): Record<string, string> | null {
  const wanted = pattern.split('/').filter(Boolean);
  const found = at.split('/').filter(Boolean);
  if (wanted.length !== found.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = found[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = decode(value);
    else if (part !== value) return null;
  }
  return params;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function arrive(scroll: boolean): void {
  const before = place.peek().path;
  const now = here();
  if (now.path !== before) {
    leaving.abort();
    leaving = new AbortController();
    if (scroll) window.scrollTo(0, 0);
  }
  place.value = now;
}

/** Listens for links and the back button; once, at start. */
export function startRouter(): void {
  if (entry() === '') history.replaceState(mark(), '');
  addEventListener('popstate', () => arrive(false));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a[href]') as HTMLAnchorElement | SVGAElement | null;
    const to = link?.getAttribute('href');
    if (!link || !to?.startsWith('/') || to.startsWith('/api/') || link.hasAttribute('download') || link.getAttribute('target')) return;
    event.preventDefault();
    navigate(to);
  });
}
