// Who changed what, newest first: the audit trail.
import { useEffect, useState } from 'preact/hooks';
import { get } from '@/api/client';
import type { AuditLine, AuditPage } from '@/api/types';
import { pageSignal } from '@/route/router';
import { useResource } from '@/route/resource';
import { OwnStale } from '@/telemetry/own-stale';
import { Empty, Awaited, JsonView, Pager, Time, toastError } from '@/ui';
import { actionWords, detailWords, merged } from './changes';
import { SettingsFrame } from './frame';

const PAGE = 100;
const EVERY_MS = 10_000;
/** Lines that one page keeps. */
const LINES_MAX = 5_000;

export function Changes() {
  const head = useResource('audit', (signal) => get<AuditPage>('/audit', { limit: PAGE }, signal), { everyMs: EVERY_MS });
  const [lines, setLines] = useState<AuditLine[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const page = head.data.value;
  useEffect(() => {
    if (!page) return;
    setLines((before) => merged(page.entries, before));
    setNext((before) => (before === undefined ? (page.next ?? null) : before));
  }, [page]);
  const more = async () => {
    setBusy(true);
    try {
      const older = await get<AuditPage>('/audit', { limit: PAGE, cursor: next }, pageSignal());
      setLines((before) => merged(before, older.entries));
      setNext(older.next ?? null);
    } catch (problem) {
      toastError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <SettingsFrame note={<OwnStale since={head.staleSinceUnixMs.value} />}>
      <Awaited of={head} rows={6} />
      {page && lines.length === 0 && page.entries.length === 0 && (
        <Empty icon="list" title="Nothing was changed yet">
          <p>Every change that a person or a token makes is kept here: services, keys, settings, accounts, tokens, logins.</p>
        </Empty>
      )}
      {lines.length > 0 && (
        <div class="st-scroll">
          <table class="st-table st-trail">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">Details</th>
              </tr>
            </thead>
            <tbody>
              {lines.map((it) => (
                <TrailRow key={it.id} line={it} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {lines.length < LINES_MAX ? <Pager next={next} busy={busy} onMore={() => void more()} /> : <p class="st-pad faint">There is more: <code>bridge changes</code> shows all of it.</p>}
    </SettingsFrame>
  );
}

function TrailRow({ line }: { line: AuditLine }) {
  const [open, setOpen] = useState(false);
  const words = detailWords(line.detail, line.target);
  return (
    <>
      <tr>
        <td>
          <Time at={line.at_unix_ms} />
        </td>
        <td>{line.actor}</td>
        <td title={line.action}>
          {actionWords(line.action)} <strong class="st-target">{line.target}</strong>
        </td>
        <td class="st-detail">
          {words && (
            <button class="st-more cut mono" type="button" aria-expanded={open} title="Show all of it" onClick={() => setOpen(!open)}>
              {words}
            </button>
          )}
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={4}>
            <JsonView value={line.detail} label="Details" />
          </td>
        </tr>
      )}
    </>
  );
}
