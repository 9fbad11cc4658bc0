// A chart with a caption that names its lines in their colours, and tells their values where the crosshair is; without one, the last.
import { useState } from 'preact/hooks';
import type { ComponentProps } from 'preact';
import { Chart, clock } from '@/ui';
import './line-chart.css';

type Props = Omit<ComponentProps<typeof Chart>, 'onCursor' | 'label'> & { title: string };

export function LineChart({ title, ...props }: Props) {
  const [cursor, setCursor] = useState<number | null>(null);
  const { timesUnixMs, lines, format } = props;
  const last = timesUnixMs.length - 1;
  const at = cursor === null || cursor > last ? last : cursor;
  const time = timesUnixMs[at];
  return (
    <figure class="tm-line-chart">
      <figcaption class="small">
        <span class="dim grow cut">{title}</span>
        {cursor !== null && time !== undefined && <span class="faint">{clock(time)}</span>}
        {lines.map((it) => {
          const value = it.values[at] ?? null;
          return (
            <span key={it.label} class="tm-line-key">
              <span class="tm-line-swatch" style={{ background: `var(${it.token})` }} aria-hidden="true" />
              <span class="dim">{it.label}</span> {value === null ? '–' : format(value)}
            </span>
          );
        })}
      </figcaption>
      <Chart {...props} label={title} onCursor={setCursor} />
    </figure>
  );
}
