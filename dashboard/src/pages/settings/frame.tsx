// What all pages of settings share: the title and the way from one to the other.
import type { ComponentChildren } from 'preact';
import { path } from '@/route/router';
import { PageFrame } from '@/ui';

const PAGES = [
  ['/settings', 'Settings'],
  ['/settings/accounts', 'Accounts'],
  ['/settings/tokens', 'API tokens'],
  ['/settings/changes', 'Changes'],
  ['/settings/doctor', 'Doctor'],
  ['/settings/about', 'About'],
  ['/account', 'Your account'],
] as const;

interface Props {
  note?: ComponentChildren;
  actions?: ComponentChildren;
  fill?: boolean;
  children: ComponentChildren;
}

export function SettingsFrame({ note, actions, fill, children }: Props) {
  const here = PAGES.find(([to]) => to === path.value);
  return (
    <PageFrame title={here?.[1] ?? 'Settings'} note={note} actions={actions} fill={fill ?? false}>
      <nav class="st-nav" aria-label="Parts of settings">
        {PAGES.map(([to, word]) => (
          <a key={to} href={to} {...(to === path.value ? { 'aria-current': 'page' as const } : {})}>
            {word}
          </a>
        ))}
      </nav>
      {children}
    </PageFrame>
  );
}
