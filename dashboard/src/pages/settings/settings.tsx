// Every setting by section, with its meaning, changed in place. Others may change them meanwhile: what is shown follows.
import { get } from '@/api/client';
import type { SettingSummary } from '@/api/types';
import { ReadOnly } from '@/app/readonly';
import { useResource } from '@/route/resource';
import { OwnStale } from '@/telemetry/own-stale';
import { Empty, Awaited, FilterBar, TextFilter, ToggleFilter, plural, queryValue } from '@/ui';
import { SettingsFrame } from './frame';
import { SettingRow } from './row';
import { bySection, isChanged, settingOf } from './values';

const EVERY_MS = 5_000;

export function Settings() {
  const found = useResource('settings', (signal) => get<SettingSummary[]>('/settings', {}, signal), { everyMs: EVERY_MS });
  const all = found.data.value?.map(settingOf) ?? null;
  const changed = all?.filter(isChanged) ?? [];
  const pending = all?.filter((it) => it.pending !== null) ?? [];
  const only = queryValue('changed') === 'true';
  const sections = bySection(only ? changed : (all ?? []), queryValue('q'));
  return (
    <SettingsFrame note={<OwnStale since={found.staleSinceUnixMs.value} />} actions={<ReadOnly what="change settings" />}>
      <div class="tm-filters">
        <FilterBar names={['q', 'changed']} end={all && <span class="faint small">{told(changed.length, pending.length)}</span>}>
          <TextFilter name="q" label="Find a setting" />
          <ToggleFilter name="changed" label="Changed only" />
        </FilterBar>
      </div>
      <Awaited of={found} rows={8} />
      {all && sections.length === 0 && (
        <Empty icon="search" title={only && changed.length === 0 ? 'Everything has its default' : 'No setting fits'}>
          <p>{only && changed.length === 0 ? 'Nobody has changed a setting of this runtime.' : 'Names, meanings and values are searched.'}</p>
        </Empty>
      )}
      {all && sections.length > 0 && (
        <div class="st-sections">
          <nav class="st-index" aria-label="Sections">
            {sections.map(([name, settings]) => (
              <a key={name} href={`#st-${name}`} onClick={(event) => jump(event, name)}>
                {name} <span class="faint">{settings.length}</span>
              </a>
            ))}
          </nav>
          <div class="grow">
            {sections.map(([name, settings]) => (
              <section key={name} id={`st-${name}`} class="st-section" aria-labelledby={`st-${name}-title`} tabIndex={-1}>
                <h2 id={`st-${name}-title`}>{name}</h2>
                {settings.map((it) => (
                  <SettingRow key={it.key} setting={it} onDone={found.reload} />
                ))}
              </section>
            ))}
          </div>
        </div>
      )}
    </SettingsFrame>
  );
}

function told(changed: number, pending: number): string {
  const waits = pending > 0 ? ` · ${pending} ${pending === 1 ? 'waits' : 'wait'} for the next start` : '';
  return changed === 0 ? `all at their defaults${waits}` : `${plural(changed, 'setting')} changed${waits}`;
}

/** Fragments are not part of a page's address here. */
function jump(event: Event, name: string): void {
  event.preventDefault();
  const section = document.getElementById(`st-${name}`);
  section?.scrollIntoView({ block: 'start' });
  section?.focus({ preventScroll: true });
}
