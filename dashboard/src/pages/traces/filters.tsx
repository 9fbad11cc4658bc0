// The filters of the list, all of them in the URL. An id typed into the search leads to its trace.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { navigate, setQuery } from '@/route/router';
import { duration, FilterBar, Icon, Input, KindTag, queryValue, Select, TextFilter, ToggleFilter } from '@/ui';
import { RangeFilter } from '@/telemetry/range-filter';
import { ServiceFilter } from '@/telemetry/service';
import { CHANNELS, STATUSES, traceIdIn } from './model';
import { FILTER_NAMES, parseMs, type TraceFilters } from './query';

export function Filters({ filters, end }: { filters: TraceFilters; end: ComponentChildren }) {
  useEffect(() => {
    const id = traceIdIn(filters.text);
    if (id !== undefined) navigate(`/traces/${id}`, { replace: true });
  }, [filters.text]);
  return (
    <div class="tm-filters">
      <FilterBar names={FILTER_NAMES} end={end}>
        <TextFilter name="text" label="Search traces" placeholder="Words, business key or trace id" />
        <ServiceFilter />
        <StatusFilter filters={filters} />
        <DurationFilter name="min_duration" label="Shortest duration" sign="≥" />
        <DurationFilter name="max_duration" label="Longest duration" sign="≤" />
        <RangeFilter />
        <ChannelFilter chosen={filters.channels} />
        <ToggleFilter name="root_only" label="Root only" />
      </FilterBar>
    </div>
  );
}

const WORDS: Record<string, string> = { success: 'Ended well', error: 'Error', timeout: 'Timed out', abandoned: 'Abandoned', pending: 'Running' };

/** `failed` is a parameter of its own, because it is three statuses; here it is one choice. */
function StatusFilter({ filters }: { filters: TraceFilters }) {
  const options: [string, string][] = [['', 'Any status'], ['failed', 'Failed'], ...STATUSES.map((it): [string, string] => [it, WORDS[it] ?? it])];
  const pick = (value: string) => setQuery({ failed: value === 'failed' ? 'true' : null, status: value === 'failed' ? null : value || null });
  return <Select aria-label="Status" value={filters.failed ? 'failed' : filters.status} options={options} onPick={pick} />;
}

function ChannelFilter({ chosen }: { chosen: readonly string[] }) {
  const turn = (channel: string) => {
    const now = CHANNELS.filter((it) => (it === channel) !== chosen.includes(it));
    setQuery({ channel: now.join(',') || null });
  };
  return (
    <span class="row gap-xs tr-channels" role="group" aria-label="Channels">
      {CHANNELS.map((it) => (
        <button key={it} class="chip" type="button" aria-pressed={chosen.includes(it)} onClick={() => turn(it)}>
          <KindTag kind={it} short />
        </button>
      ))}
    </span>
  );
}

/** A bound of the duration: `250`, `1.5 s`. Applied with Enter or when one leaves the field. */
function DurationFilter({ name, label, sign }: { name: string; label: string; sign: string }) {
  const applied = queryValue(name);
  const shown = applied === '' ? '' : duration(Number(applied));
  const [text, setText] = useState(shown);
  const [wrong, setWrong] = useState(false);
  useEffect(() => setText(shown), [shown]);
  const apply = () => {
    if (text === shown) return setWrong(false);
    const ms = text.trim() === '' ? null : parseMs(text);
    setWrong(ms === undefined);
    if (ms !== undefined) setQuery({ [name]: ms === null ? null : String(ms) });
  };
  return (
    <span class={`tr-bound ${wrong ? 'wrong' : ''}`}>
      <span class="faint" aria-hidden="true">
        {sign}
      </span>
      <Input
        aria-label={label}
        aria-invalid={wrong}
        placeholder="250 ms"
        title={wrong ? 'Write a duration: 250, 250 ms, 1.5 s, 2 min' : `${label}: 250, 250 ms, 1.5 s, 2 min`}
        value={text}
        onText={setText}
        onBlur={apply}
        onKeyDown={(event: KeyboardEvent) => event.key === 'Enter' && apply()}
      />
      {wrong && <Icon name="warn" size={14} label="No duration" />}
    </span>
  );
}
