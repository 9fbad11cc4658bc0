// Chooses the time range of a list: a quick one, or two ends in local time. Lives in the URL's query (`range`, or `since` and
// `until`).
import { useState } from 'preact/hooks';
import { place, setQuery } from '@/route/router';
import { Button, Dialog, Field, Input, moment, Select } from '@/ui';
import { fromLocalInput, localInput, QUICK, quickWords, readRange, type QuickRange, type Range } from './range';

const CUSTOM = 'custom';

export function RangeFilter() {
  const [open, setOpen] = useState(false);
  const range = readRange(place.value.query);
  const fixed = range.since !== undefined || range.until !== undefined;
  const options: [string, string][] = [['', 'All that is kept'], ...(Object.keys(QUICK) as QuickRange[]).map((it): [string, string] => [it, quickWords(it)])];
  if (fixed) options.push(['fixed', words(range)]);
  options.push([CUSTOM, 'From … to …']);
  const pick = (value: string) => {
    if (value === CUSTOM) setOpen(true);
    else if (value !== 'fixed') setRange(value === '' ? {} : { quick: value as QuickRange });
  };
  return (
    <>
      <Select key={open ? 'asking' : 'chosen'} aria-label="Time range" value={fixed ? 'fixed' : (range.quick ?? '')} options={options} onPick={pick} />
      {open && <RangeDialog range={range} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Puts a range into the URL; replaces what was there. */
export function setRange(range: Range): void {
  setQuery({
    range: range.quick ?? null,
    since: range.since === undefined ? null : String(range.since),
    until: range.until === undefined ? null : String(range.until),
  });
}

function words({ since, until }: Range): string {
  if (since === undefined) return `Until ${moment(until ?? 0)}`;
  return until === undefined ? `Since ${moment(since)}` : `${moment(since)} – ${moment(until)}`;
}

function RangeDialog({ range, onClose }: { range: Range; onClose: () => void }) {
  const [since, setSince] = useState(localInput(range.since));
  const [until, setUntil] = useState(localInput(range.until));
  const [from, to] = [fromLocalInput(since), fromLocalInput(until)];
  const wrong = from !== undefined && to !== undefined && from > to ? 'The end is before the beginning.' : null;
  const apply = (event: Event) => {
    event.preventDefault();
    if (wrong !== null) return;
    // The second that was chosen belongs to the range.
    setRange({ ...(from === undefined ? {} : { since: from }), ...(to === undefined ? {} : { until: to + 999 }) });
    onClose();
  };
  return (
    <Dialog title="Time range" onClose={onClose}>
      <form class="stack gap-l" onSubmit={apply}>
        <Field label="From" hint="Local time; empty for everything that is kept">
          {(aria) => <Input {...aria} type="datetime-local" step={1} value={since} onText={setSince} />}
        </Field>
        <Field label="To" hint="Local time; empty to follow what goes on" error={wrong}>
          {(aria) => <Input {...aria} type="datetime-local" step={1} value={until} onText={setUntil} />}
        </Field>
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Apply
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
