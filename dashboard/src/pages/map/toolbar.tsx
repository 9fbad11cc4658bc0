// Above the map: search, grouping, focus, and how things are altogether; on it: zoom and what the lines mean.
import { useComputed } from '@preact/signals';
import { navigate, setQuery } from '@/route/router';
import { Button, Icon, IconButton, Input, percent, plural, rate, Segments, Sparkline } from '@/ui';
import { focusHops, focusName, focusOn, grouped, setGrouped, showsAbsent, showsList } from './choice';
import { zoomStep } from './gestures';
import { sumLoads, type Graph } from './model';
import type { Scene } from './scene';
import { loads, pulse, topology } from './store';

interface Props {
  graph: Graph;
  search: string;
  onSearch: (text: string) => void;
  /** Enter in the search: go to the first that was found. */
  onFirst: () => void;
  /** How many it finds; null when nothing is searched. */
  found: number | null;
}

export function Toolbar({ graph, search, onSearch, onFirst, found }: Props) {
  const services = topology.value?.services.length ?? 0;
  const focus = focusName();
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter') onFirst();
    if (event.key === 'Escape') {
      onSearch('');
      (event.currentTarget as HTMLElement).blur();
    }
  };
  return (
    <>
      <div class="mp-search">
        <Input icon="search" type="search" aria-label="Find a service" placeholder="Find a service   /" data-slash="" value={search} onText={onSearch} onKeyDown={key} />
        {found !== null && (
          <span class="mp-found small faint" role="status">
            {found === 0 ? 'none' : found}
          </span>
        )}
      </div>
      {focus === null ? (
        <button class="chip" type="button" aria-pressed={grouped(services)} title="Services whose names begin alike, as one" onClick={() => setGrouped(!grouped(services))}>
          <Icon name="group" size={14} /> Groups
        </button>
      ) : (
        <FocusChip name={focus} />
      )}
      {(graph.absent > 0 || showsAbsent()) && (
        <button class="chip" type="button" aria-pressed={showsAbsent()} title="Services that were created and have no instance now" onClick={() => setQuery({ absent: showsAbsent() ? null : 'true' })}>
          {showsAbsent() ? 'Not running' : `${graph.absent} not running`}
        </button>
      )}
      <div class="grow" />
      <Totals />
    </>
  );
}

export function ViewSwitch() {
  return (
    <Segments
      label="View"
      value={showsList() ? 'list' : 'map'}
      options={[
        ['map', 'Map'],
        ['list', 'List'],
      ]}
      onPick={(it) => setQuery({ view: it === 'list' ? 'list' : null })}
    />
  );
}

function FocusChip({ name }: { name: string }) {
  const hops = focusHops();
  return (
    <span class="mp-focus">
      <Icon name="focus" size={14} />
      <span class="cut">{name === '' ? 'Outside' : name}</span>
      <Segments
        label="How far"
        value={hops === 2 ? '2' : '1'}
        options={[
          ['1', '1 hop'],
          ['2', '2 hops'],
        ]}
        onPick={(it) => focusOn(name, it === '2' ? 2 : 1)}
      />
      <IconButton icon="close" label="Leave the focus" onClick={() => focusOn(null)} />
    </span>
  );
}

function Totals() {
  const all = useComputed(() => sumLoads(loads.value.services.values()));
  const it = all.value;
  const running = topology.value?.services.filter((service) => service.instances.length > 0).length ?? 0;
  return (
    <span class="mp-totals">
      <span title="Services with an instance">{plural(running, 'service')}</span>
      {it && (
        <>
          <Sparkline values={pulse.value} label="Calls per second over the last minute" width={72} height={18} />
          <span title="All calls and requests that were answered, over the last minute">{rate(it.per_second)}</span>
          <span class={it.errors > 0 ? 'bad' : 'faint'}>{percent(it.errors, it.count)} failed</span>
        </>
      )}
    </span>
  );
}

export function ZoomButtons({ scene, onAnew }: { scene: Scene | null; onAnew: () => void }) {
  if (!scene) return null;
  return (
    <div class="mp-zoom card" role="group" aria-label="Zoom">
      <IconButton icon="plus" label="Zoom in (+)" onClick={() => zoomStep(scene, 1)} />
      <IconButton icon="minus" label="Zoom out (−)" onClick={() => zoomStep(scene, -1)} />
      <IconButton icon="fit" label="Fit everything (0)" onClick={() => scene.fitAll('gliding')} />
      <IconButton icon="refresh" label="Arrange anew" onClick={onAnew} />
    </div>
  );
}

/** What lines and rings mean; closed until asked for. */
export function Legend() {
  return (
    <details class="mp-legend card">
      <summary>
        <Icon name="info" size={14} /> Legend
      </summary>
      <ul>
        <Row look="flow" words="calls; wider means more" />
        <Row look="warn" words="1% or more failed" />
        <Row look="bad" words="5% or more failed" />
        <Row look="idle" words="seen, no calls in the last minute" />
        <Row look="declared" words="declared, no calls in the last minute" />
        <Row look="undeclared" words="called, not declared" />
        <li>
          <span class="mp-key ring" /> ring: instances; dotted red: unhealthy, amber: draining or returning
        </li>
        <li>
          <Icon name="key" size={14} /> key: a certificate was not renewed in time; red: it is over
        </li>
      </ul>
    </details>
  );
}

const Row = ({ look, words }: { look: string; words: string }) => (
  <li>
    <span class={`mp-key ${look}`} /> {words}
  </li>
);

export function FirstSteps() {
  return (
    <div class="stack">
      <p>
        1. Create a service: its key is shown once. <a href="/services">To the services</a>
      </p>
      <p>2. Start it with that key. It appears here within a second.</p>
      <Button icon="plus" look="primary" onClick={() => navigate('/services')}>
        Create a service
      </Button>
    </div>
  );
}
