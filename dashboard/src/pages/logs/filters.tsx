// The filters of the log, all of them in the URL. A trace id typed into the search becomes the trace to look at.
import { useEffect } from 'preact/hooks';
import { get } from '@/api/client';
import type { ServiceDetail } from '@/api/types';
import { useResource } from '@/route/resource';
import { setQuery } from '@/route/router';
import { FilterBar, Icon, SegmentsFilter, Select, shortId, TextFilter } from '@/ui';
import { RangeFilter } from '@/telemetry/range-filter';
import { ServiceFilter } from '@/telemetry/service';
import { FILTER_NAMES, type LogFilters } from './query';

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

export function Filters({ filters }: { filters: LogFilters }) {
  useEffect(() => {
    if (UUID.test(filters.text)) setQuery({ text: null, trace: filters.text.toLowerCase() });
  }, [filters.text]);
  return (
    <div class="tm-filters">
      <FilterBar names={FILTER_NAMES}>
        <TextFilter name="text" label="Search the log" placeholder="Words, or a trace id" />
        <SegmentsFilter name="level" label="Level" otherwise="" options={LEVEL_WORDS} />
        <ServiceFilter />
        {filters.service !== '' && <InstanceFilter service={filters.service} chosen={filters.instance} />}
        <RangeFilter />
        {filters.service === '' && filters.instance !== '' && <Chosen name="instance" id={filters.instance} />}
        {filters.trace !== '' && <Chosen name="trace" id={filters.trace} />}
      </FilterBar>
    </div>
  );
}

const LEVEL_WORDS = [
  ['', 'All'],
  ['info', 'Info +'],
  ['warn', 'Warn +'],
  ['error', 'Error'],
] as const;

/** An id that is filtered by, and how to stop that. */
function Chosen({ name, id }: { name: 'instance' | 'trace'; id: string }) {
  return (
    <button class="chip" type="button" aria-pressed={true} title={`${id}: press to look at all`} onClick={() => setQuery({ [name]: null })}>
      {name} <span class="mono">{shortId(id)}</span>
      <Icon name="close" size={12} label={`Stop filtering by ${name}`} />
    </button>
  );
}

/** Instances that are connected, and the chosen one whatever became of it. */
function InstanceFilter({ service, chosen }: { service: string; chosen: string }) {
  const detail = useResource(`service/${service}`, (signal) => get<ServiceDetail>(`/services/${encodeURIComponent(service)}`, {}, signal));
  const ids = (detail.data.value?.instances ?? []).map((it) => it.id);
  if (chosen !== '' && !ids.includes(chosen)) ids.unshift(chosen);
  const options: [string, string][] = [['', 'All instances'], ...ids.map((it): [string, string] => [it, shortId(it)])];
  return <Select aria-label="Instance" value={chosen} options={options} onPick={(instance) => setQuery({ instance: instance || null })} />;
}
