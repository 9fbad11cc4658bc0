// Dark, light or as the system has it; and colours of the theme for whatever paints on a canvas.
import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'dark' | 'light';

// public/theme.js reads the same key before the first paint.
const KEY = 'bridge.theme';

function stored(): Theme {
  try {
    const it = localStorage.getItem(KEY);
    return it === 'dark' || it === 'light' ? it : 'auto';
  } catch {
    return 'auto';
  }
}

export const theme = signal<Theme>(typeof localStorage === 'undefined' ? 'auto' : stored());
/** Grows whenever colours change; read it in an effect that paints. */
export const themeVersion = signal(0);

const colours = new Map<string, string>();
let probe: HTMLElement | null = null;

/** What `var(--name)` is now, as `rgb(…)`, for a canvas. Cached until the theme changes. */
export function colour(name: string): string {
  const known = colours.get(name);
  if (known) return known;
  if (!probe) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  colours.set(name, found);
  return found;
}

function repaint(): void {
  colours.clear();
  themeVersion.value = themeVersion.peek() + 1;
}

/** Applies the theme now and when it changes; once, at start. */
export function startTheme(): void {
  effect(() => {
    const chosen = theme.value;
    if (chosen === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    try {
      if (chosen === 'auto') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, chosen);
    } catch {
      // Storage is refused: the choice holds until the page goes.
    }
    repaint();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
}

const SERVICE_COLOURS = 12;

/** Which of the twelve `--series-N` a name has: the same on every page and every day. */
export function seriesIndex(name: string): number {
  let hash = 2166136261;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 16777619);
  return ((hash ^ (hash >>> 15)) >>> 0) % SERVICE_COLOURS;
}

/** `var(--series-N)` of a service, for styles; `colour(seriesToken(name))` for a canvas. */
export const seriesToken = (name: string): string => `--series-${seriesIndex(name)}`;
export const seriesVar = (name: string): string => `var(${seriesToken(name)})`;
