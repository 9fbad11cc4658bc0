// Filters bound to the URL's query: what one filters by survives a reload and can be sent to somebody. Text is applied
// 250 ms after the last key; everything else at once.
import type { ComponentChildren } from 'preact';
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { place, setQuery } from '@/route/router';
import { Button } from './button';
import { Input, Segments, Select } from './field';

const TYPED_MS = 250;

/** Value of a query parameter now; `otherwise` when absent. Subscribes the caller. */
export const queryValue = (name: string, otherwise = ''): string => place.value.query.get(name) ?? otherwise;

/** Counts how often filters were cleared: what was typed and is not applied yet goes, too. */
const clears = signal(0);

/** A row of filters; “Clear” appears when one of `names` is set. */
export function FilterBar({ names, children, end }: { names: readonly string[]; children: ComponentChildren; end?: ComponentChildren }) {
  const set = names.some((name) => place.value.query.has(name));
  const clear = () => {
    clears.value += 1;
    setQuery(Object.fromEntries(names.map((name) => [name, null])));
  };
  return (
    <div class="filters" role="search">
      {children}
      {set && (
        <Button look="quiet" icon="close" onClick={clear}>
          Clear
        </Button>
      )}
      {end && <div class="filters-end">{end}</div>}
    </div>
  );
}

/** Free text in the query. `/` focuses the first of a page. */
export function TextFilter({ name, label, placeholder }: { name: string; label: string; placeholder?: string }) {
  const applied = queryValue(name);
  const [text, setText] = useState(applied);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== field.current) setText(applied);
  }, [applied]);
  const cleared = clears.value;
  const seen = useRef(cleared);
  useEffect(() => {
    if (seen.current === cleared) return;
    seen.current = cleared;
    setText('');
  }, [cleared]);
  useEffect(() => {
    if (text === applied) return;
    const timer = setTimeout(() => setQuery({ [name]: text.trim() || null, cursor: null }), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const apply = (event: KeyboardEvent) => {
    if (event.key === 'Enter') setQuery({ [name]: text.trim() || null, cursor: null });
    if (event.key === 'Escape' && text) setText('');
  };
  return <Input ref={field} icon="search" type="search" aria-label={label} placeholder={placeholder ?? label} data-slash="" value={text} onText={setText} onKeyDown={apply} />;
}

/** A choice in the query; the empty value means any. */
export function SelectFilter({ name, label, options }: { name: string; label: string; options: readonly (readonly [string, string])[] }) {
  return <Select aria-label={label} value={queryValue(name)} options={options} onPick={(value) => setQuery({ [name]: value || null, cursor: null })} />;
}

/** Two to six choices in the query, side by side; `otherwise` is what absence means. */
export function SegmentsFilter({ name, label, otherwise, options }: { name: string; label: string; otherwise: string; options: readonly (readonly [string, string])[] }) {
  return <Segments label={label} value={queryValue(name, otherwise)} options={options} onPick={(value) => setQuery({ [name]: value === otherwise ? null : value, cursor: null })} />;
}

/** On when the parameter is `true`. */
export function ToggleFilter({ name, label }: { name: string; label: string }) {
  const on = queryValue(name) === 'true';
  return (
    <button class="chip" type="button" aria-pressed={on} onClick={() => setQuery({ [name]: on ? null : 'true', cursor: null })}>
      {label}
    </button>
  );
}

/** Listens for `/`: focuses the page's search field. The shell calls it once. */
export function startSlash(): void {
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    const typing = target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = document.querySelector<HTMLInputElement>('main [data-slash]');
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}
