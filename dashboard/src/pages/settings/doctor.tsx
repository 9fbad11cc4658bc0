// What is well with the runtime and what is not. Looked at when asked: it writes to the disk to see how fast that is.
import { get } from '@/api/client';
import type { Finding } from '@/api/types';
import { useResource } from '@/route/resource';
import { OwnStale } from '@/telemetry/own-stale';
import { Button, Awaited, Note, StatusBadge, plural, type Tone } from '@/ui';
import { SettingsFrame } from './frame';

const TONES: Record<Finding['verdict'], [Tone, string]> = { fail: ['bad', 'fails'], warn: ['warn', 'warning'], ok: ['ok', 'ok'] };
const ORDER: readonly Finding['verdict'][] = ['fail', 'warn', 'ok'];

export function Doctor() {
  const found = useResource('doctor', (signal) => get<Finding[]>('/doctor', {}, signal));
  const all = found.data.value;
  const sorted = all ? ORDER.flatMap((verdict) => all.filter((it) => it.verdict === verdict)) : [];
  const bad = sorted.filter((it) => it.verdict !== 'ok').length;
  return (
    <SettingsFrame
      note={<OwnStale since={found.staleSinceUnixMs.value} />}
      actions={
        <Button icon="refresh" busy={found.loading.value} onClick={found.reload}>
          Look again
        </Button>
      }
    >
      <Awaited of={found} rows={6} />
      {all && (
        <div class="st-pad">
          {bad === 0 ? <Note tone="ok">Everything that was looked at is well.</Note> : <Note tone="warn">{plural(bad, 'finding')} {bad === 1 ? 'deserves' : 'deserve'} a look.</Note>}
        </div>
      )}
      {all && (
        <div class="st-scroll">
          <table class="st-table st-findings">
            <thead>
              <tr>
                <th scope="col">Verdict</th>
                <th scope="col">What</th>
                <th scope="col">Finding</th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((it, at) => {
                const [tone, word] = TONES[it.verdict] ?? ['idle', it.verdict];
                return (
                  <tr key={`${it.check} ${at}`}>
                    <td>
                      <StatusBadge tone={tone}>{word}</StatusBadge>
                    </td>
                    <th scope="row">{it.check}</th>
                    <td class="st-finding">{it.detail}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </SettingsFrame>
  );
}
