// Services by name: a filter over all that are known, and a name in the colour that the service has everywhere.
import { useState } from 'preact/hooks';
import { get } from '@/api/client';
import type { LiveMap, ServiceSummary } from '@/api/types';
import { useResource } from '@/route/resource';
import { place, setQuery } from '@/route/router';
import { Select, seriesVar } from '@/ui';

/** A name with the service's colour before it; `link` leads to its page. */
export function ServiceName({ name, link }: { name: string; link?: boolean }) {
  if (name === '') return <span class="faint">outside</span>;
  const word = link ? <a href={`/services/${encodeURIComponent(name)}`}>{name}</a> : name;
  return (
    <span class="tm-service" title={name}>
      <span class="tm-swatch" aria-hidden="true" style={{ background: seriesVar(name) }} />
      <span class="cut">{word}</span>
    </span>
  );
}

/**
 * Chooses a service for the query's `service`. Those that only report (over OTLP) are known to the map alone, which is much to
 * ask for: that is done when somebody is about to choose. A name in the URL that is not known is offered too.
 */
export function ServiceFilter() {
  const [about, setAbout] = useState(false);
  const made = useResource('services', (signal) => get<ServiceSummary[]>('/services', {}, signal));
  const heard = useResource('service-names', (signal) => get<LiveMap>('/map', {}, signal), { off: !about });
  const chosen = place.value.query.get('service') ?? '';
  const names = new Set([...(made.data.value ?? []), ...(heard.data.value?.services ?? [])].map((it) => it.name).sort());
  if (chosen !== '') names.add(chosen);
  const options: [string, string][] = [['', 'All services'], ...[...names].map((it): [string, string] => [it, it])];
  const ask = () => setAbout(true);
  return <Select aria-label="Service" value={chosen} options={options} onFocus={ask} onPointerEnter={ask} onPick={(service) => setQuery({ service: service || null })} />;
}
