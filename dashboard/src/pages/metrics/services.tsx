// Rate, errors and durations of every service and route, the worst first; one of them large when it is chosen.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get } from '@/api/client';
import { runtimeNow } from '@/api/live';
import type { RedPage } from '@/api/types';
import { useResource } from '@/route/resource';
import { place, setQuery } from '@/route/router';
import { isFailing, linesOf } from '@/telemetry/red';
import { ServiceFilter } from '@/telemetry/service';
import { OwnStale } from '@/telemetry/own-stale';
import { Button, Empty, ErrorNote, FilterBar, KindTag, Note, SegmentsFilter, Skeleton, Sparkline, TextFilter, coarse, count, duration, percent, plural, queryValue, rate } from '@/ui';
import { Close } from './close';
import { MetricsFrame } from './frame';
import { useNear } from './near';
import { cardNamed, cardsOf, routeWord, type By, type Card, type SortWord } from './red';

/** The runtime counts in steps of ten seconds up to five minutes, in steps of five minutes up to an hour. */
const WINDOWS = [
  ['300000', '5 min'],
  ['3600000', '1 h'],
] as const;
const EVERY_MS = 5_000;
/** Cards that are drawn at first, and more each time the last comes into view. */
const CARDS_STEP = 24;
/** Height of a card until it was seen. */
const CARD_PX = 112;

export function RedOfServices() {
  const windowMs = queryValue('window', '300000');
  const service = queryValue('service');
  // Points of a thousand routes would be megabytes each time: of one service all is told, of all services their totals.
  const routes = service ? 'full' : queryValue('by') === 'routes' ? 'loads' : 'none';
  const query = { window_ms: windowMs, service, routes };
  const red = useResource(JSON.stringify(query), (signal) => get<RedPage>('/red', query, signal), { everyMs: EVERY_MS });
  const page = red.data.value;
  return (
    <MetricsFrame note={<OwnStale since={red.staleSinceUnixMs.value} />}>
      <Filters page={page} />
      {!page && <ErrorNote error={red.error.value} again={red.reload} />}
      {!page && !red.error.value && <Skeleton rows={6} height={64} />}
      {page && <Board page={page} />}
    </MetricsFrame>
  );
}

function Filters({ page }: { page: RedPage | null }) {
  return (
    <div class="tm-filters">
      <FilterBar names={['q', 'service', 'route']} end={page && <span class="faint small">Ended in the last {coarse(Math.max(1_000, page.window_ms))}</span>}>
        <TextFilter name="q" label="Find a service or route" />
        <ServiceFilter />
        {!queryValue('service') && (
          <SegmentsFilter
            name="by"
            label="Shown"
            otherwise="services"
            options={[
              ['services', 'Services'],
              ['routes', 'Routes'],
            ]}
          />
        )}
        <SegmentsFilter
          name="sort"
          label="Order"
          otherwise="worst"
          options={[
            ['worst', 'Worst first'],
            ['traffic', 'Traffic'],
            ['slow', 'Slowest'],
            ['name', 'Name'],
          ]}
        />
        <SegmentsFilter name="window" label="Window" otherwise="300000" options={WINDOWS} />
      </FilterBar>
    </div>
  );
}

function Board({ page }: { page: RedPage }) {
  const asked = useMemo(() => runtimeNow(), [page]);
  const service = queryValue('service');
  const by: By = service ? 'routes' : (queryValue('by', 'services') as By);
  const filter = { by, service, words: queryValue('q'), sort: queryValue('sort', 'worst') as SortWord };
  const key = JSON.stringify(filter);
  const cards = useMemo(() => cardsOf(page, filter), [page, key]);
  const chosen = service ? cardNamed(page, service, queryValue('route')) : undefined;
  if (page.services.length === 0) return <Nothing windowMs={page.window_ms} />;
  return (
    <>
      {service && chosen && <Close card={chosen} stepMs={page.step_ms} askedUnixMs={asked} />}
      {service && !chosen && (
        <div class="mt-pad">
          <Note>
            {queryValue('route') ? `${queryValue('route')} of ${service}` : service} ended nothing in this window.{' '}
            {queryValue('route') && (
              <Button look="quiet" onClick={() => setQuery({ route: null })}>
                All routes of {service}
              </Button>
            )}
          </Note>
        </div>
      )}
      {page.truncated && (
        <div class="mt-pad">
          <Note tone="warn">There are more routes than one answer carries; the busiest are here.</Note>
        </div>
      )}
      {/* Other filters are another list: from its beginning. */}
      <Cards key={key} cards={cards} label={by === 'services' ? 'Services' : 'Routes'} stepMs={page.step_ms} askedUnixMs={asked} alone={service !== ''} />
      {cards.length === 0 && <p class="mt-pad faint">Nothing of that name ended in this window.</p>}
    </>
  );
}

interface Shown {
  stepMs: number;
  askedUnixMs: number;
  /** All cards are of one service, which is named above them. */
  alone: boolean;
}

function Cards({ cards, label, ...how }: Shown & { cards: readonly Card[]; label: string }) {
  const [shown, setShown] = useState(CARDS_STEP);
  return (
    <>
      <ul class="mt-cards" aria-label={label}>
        {cards.slice(0, shown).map((it) => (
          <CardPlace key={it.key} card={it} {...how} />
        ))}
      </ul>
      {cards.length > shown && <More left={cards.length - shown} onMore={() => setShown(shown + CARDS_STEP)} />}
    </>
  );
}

/** The room of a card; the card itself is there while its room is near the view. */
function CardPlace(props: Shown & { card: Card }) {
  const [room, near, height] = useNear<HTMLLIElement>(CARD_PX);
  return (
    <li ref={room} style={near ? {} : { minHeight: `${height}px` }}>
      {near && <CardView {...props} />}
    </li>
  );
}

/** Asks for more when it comes into view; a button for those who do not scroll. */
function More({ left, onMore }: { left: number; onMore: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((seen) => seen.some((it) => it.isIntersecting) && onMore(), { rootMargin: '200px' });
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [left]);
  return (
    <div class="mt-pad" ref={box}>
      <Button look="quiet" onClick={onMore}>
        {plural(left, 'more', 'more')}
      </Button>
    </div>
  );
}

function CardView({ card, stepMs, askedUnixMs, alone }: Shown & { card: Card }) {
  const { red, route, service } = card;
  const lines = linesOf(red, stepMs, askedUnixMs);
  const here = alone && queryValue('route') === (route ? routeWord(route) : '');
  const failing = isFailing(red);
  const some = red.count > 0;
  const drawn = red.points.length > 0;
  return (
    <a class={`mt-card card ${failing ? 'failing' : ''}`} href={cardHref(card)} {...(here ? { 'aria-current': 'true' as const } : {})}>
      <span class="mt-card-head">
        {route && <KindTag kind={route.kind} short />}
        <span class="cut grow mt-card-name" title={route?.name ?? service}>
          {route?.name ?? service}
        </span>
        {route && !alone && <span class="faint small cut">{service}</span>}
      </span>
      <span class="mt-card-body">
        <Figure name="calls" value={rate(red.per_second)} more={`${count(red.count)} in all`}>
          {drawn && <Sparkline values={lines.calls} label="Calls over time" width={84} height={28} />}
        </Figure>
        <Figure name="errors" value={percent(red.errors, red.count)} bad={failing}>
          {drawn && <Sparkline values={lines.errorPercent} label="Share of failures over time" width={84} height={28} tone={failing ? 'bad' : 'dim'} max={Math.max(5, ...lines.errorPercent.map((it) => it ?? 0))} />}
        </Figure>
        <Figure name="p95" value={some ? duration(red.p95_ms) : '–'}>
          {drawn && <Sparkline values={lines.p95} label="p95 over time" width={84} height={28} tone="dim" />}
        </Figure>
      </span>
    </a>
  );
}

function cardHref({ service, route }: Card): string {
  const query = new URLSearchParams(place.peek().query);
  query.set('service', service);
  query.delete('q');
  if (route) query.set('route', routeWord(route));
  else query.delete('route');
  return `/metrics?${query}`;
}

function Figure({ name, value, more, bad, children }: { name: string; value: string; more?: string; bad?: boolean; children: preact.ComponentChildren }) {
  return (
    <span class="mt-figure" title={more}>
      <span class="faint small">{name}</span>
      <span class={`mt-figure-value ${bad ? 'bad' : ''}`}>{value}</span>
      {children}
    </span>
  );
}

function Nothing({ windowMs }: { windowMs: number }) {
  return (
    <Empty icon="metrics" title="Nothing ended yet">
      <p>
        In the last {coarse(Math.max(1_000, windowMs))} no operation of any service ended. Send a request to one of your services: its rate, errors and durations appear here
        within seconds.
      </p>
      <p>
        Metrics of an earlier time are under <a href="/metrics/explore">Explore</a>.
      </p>
    </Empty>
  );
}
