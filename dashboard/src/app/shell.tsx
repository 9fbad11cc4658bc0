// The frame around every page: navigation at the left, at the top whether the runtime is well and how fresh numbers are, the
// theme, the account. Landmarks and a skip link for keyboards and screen readers.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { liveStaleSince, liveState, reconnectNow, runtimeHello } from '@/api/live';
import { pages } from '@/pages';
import { path } from '@/route/router';
import { clock, coarse, Dot, Icon, IconButton, theme, useNow, utc, type Theme, type Tone } from '@/ui';
import { leave, session } from './session';

export function Shell({ children }: { children: ComponentChildren }) {
  useFocusInPage(path.value);
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => skip(event)}>
        Skip to the page
      </a>
      <header class="top">
        <a class="brand" href="/" aria-label="bridge, to the map">
          <Mark />
          <span>bridge</span>
        </a>
        <div class="grow" />
        <Connection />
        <ThemeButton />
        <AccountMenu />
      </header>
      <Navigation />
      <main id="main" class="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** What had the focus may go with its page: then the keys go on in the new one, not at the top of the document. */
function useFocusInPage(at: string): void {
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [at]);
}

export const Mark = () => (
  <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" class="mark-ground" />
    <path class="mark-lines" d="M4 21.5h24M10 8.5v16M22 8.5v16M4 18c3-1.500 5-5 6-8.500 2 6 4 8.500 6 8.500s4-2.500 6-8.500c1 3.500 3 7 6 8.500" />
  </svg>
);

function Navigation() {
  const now = path.value;
  const shown = pages.filter((it) => it.title && !it.bare && (!it.role || it.role === session.value?.role));
  const isHere = (to: string) => (to === '/' ? now === '/' : now === to || now.startsWith(`${to}/`));
  return (
    <nav class="nav" aria-label="Pages">
      <ul>
        {shown.map((it) => {
          const to = it.routes[0]?.path ?? '/';
          const here = it.routes.some((route) => isHere(route.path.split('/:')[0] || '/'));
          return (
            <li key={it.id}>
              <a href={to} title={it.title} {...(here ? { 'aria-current': 'page' as const } : {})}>
                <Icon name={it.icon ?? 'more'} />
                <span>{it.title}</span>
              </a>
            </li>
          );
        })}
      </ul>
      <RuntimeFoot />
    </nav>
  );
}

function RuntimeFoot() {
  const now = useNow();
  const hello = runtimeHello.value;
  if (!hello) return null;
  return (
    <p class="nav-foot faint small" title={`Started ${utc(hello.started_at_unix_ms)}`}>
      bridge {hello.version}
      <br />
      up {coarse(Math.max(1000, now - hello.started_at_unix_ms))}
    </p>
  );
}

const CONNECTION: Record<string, [Tone, string]> = {
  live: ['ok', 'Live'],
  connecting: ['busy', 'Connecting'],
  stale: ['warn', 'Reconnecting'],
  paused: ['idle', 'Paused'],
  off: ['idle', 'Off'],
};

/** Told politely when it changes; press it to reconnect at once. */
function Connection() {
  const { kind, sinceUnixMs } = liveState.value;
  const [tone, word] = CONNECTION[kind] ?? ['idle', kind];
  const stale = liveStaleSince();
  const since = stale === null ? '' : ` · stale since ${clock(stale)}`;
  const title = kind === 'live' ? `Events arrive since ${utc(sinceUnixMs)}` : 'Press to reconnect now';
  return (
    <button class={`connection ${kind}`} type="button" title={title} onClick={reconnectNow}>
      <Dot tone={tone} />
      <span role="status">
        {word}
        {since}
      </span>
    </button>
  );
}

const THEMES: Record<Theme, [Theme, 'auto' | 'sun' | 'moon', string]> = {
  auto: ['light', 'auto', 'Theme: as the system. Switch to light'],
  light: ['dark', 'sun', 'Theme: light. Switch to dark'],
  dark: ['auto', 'moon', 'Theme: dark. Switch to the system’s'],
};

export function ThemeButton() {
  const [next, icon, label] = THEMES[theme.value];
  return <IconButton icon={icon} label={label} onClick={() => (theme.value = next)} />;
}

function AccountMenu() {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const it = session.value;
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  if (!it) return null;
  const close = () => {
    setOpen(false);
    box.current?.querySelector<HTMLElement>('button')?.focus();
  };
  return (
    <div class="account" ref={box} onKeyDown={(event) => menuKeys(event, close)}>
      <button class="button quiet" type="button" aria-haspopup="menu" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="account" />
        <span class="cut account-name">{it.username}</span>
        <Icon name="down" size={12} />
      </button>
      {open && (
        <div class="menu" role="menu" aria-label="Account" onClick={() => setOpen(false)}>
          <p class="menu-note small faint">
            {it.username} · {it.role}
          </p>
          {it.via === 'session' && (
            <a role="menuitem" tabIndex={-1} href="/account">
              <Icon name="key" /> Account and password
            </a>
          )}
          {it.via === 'session' ? (
            <button role="menuitem" tabIndex={-1} type="button" onClick={() => void leave()}>
              <Icon name="exit" /> Log out
            </button>
          ) : (
            <p class="menu-note small faint">Connected over the operator’s socket or a token: nothing to log out of.</p>
          )}
        </div>
      )}
    </div>
  );
}

function menuKeys(event: KeyboardEvent, close: () => void): void {
  if (event.key === 'Escape') return close();
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=menuitem]')];
  if (!step || items.length === 0) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + step + items.length) % items.length]?.focus();
}
