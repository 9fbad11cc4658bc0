// Tabs: the chosen one may live in the URL's query (`name`), arrows move, only the chosen panel is rendered.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { place, setQuery } from '@/route/router';

export interface Tab {
  key: string;
  title: ComponentChildren;
  panel: () => ComponentChildren;
}

/** `name`: query parameter that holds the choice; without it the choice is the component's own. */
export function Tabs({ tabs, name, label }: { tabs: readonly Tab[]; name?: string; label: string }) {
  const id = useId();
  const [own, setOwn] = useState('');
  const wanted = name ? place.value.query.get(name) : own;
  const chosen = tabs.find((it) => it.key === wanted) ?? tabs[0];
  const pick = (key: string) => (name ? setQuery({ [name]: key === tabs[0]?.key ? null : key }) : setOwn(key));
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = tabs[tabs.findIndex((it) => it.key === chosen?.key) + step];
    if (!step || !next) return;
    event.preventDefault();
    pick(next.key);
    document.getElementById(`${id}-${next.key}`)?.focus();
  };
  if (!chosen) return null;
  return (
    <div class="tabs">
      <div class="tabs-list" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((it) => (
          <button
            key={it.key}
            id={`${id}-${it.key}`}
            type="button"
            role="tab"
            aria-selected={it === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={it === chosen ? 0 : -1}
            onClick={() => pick(it.key)}
          >
            {it.title}
          </button>
        ))}
      </div>
      <div class="tabs-panel" id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${chosen.key}`}>
        {chosen.panel()}
      </div>
    </div>
  );
}
