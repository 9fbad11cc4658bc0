// The keys of a trace.
import { Dialog } from '@/ui';

const KEYS: readonly (readonly [string[], string])[] = [
  [['j', '↓'], 'Next operation'],
  [['k', '↑'], 'Previous operation'],
  [['←', 'h'], 'Fold, or to what it is part of'],
  [['→', 'l'], 'Unfold, or to its first part'],
  [['Enter'], 'Open beside the waterfall'],
  [['Esc'], 'Close it'],
  [['e', 'E'], 'Next and previous failure'],
  [['n', 'N'], 'Next and previous match of the search'],
  [['c'], 'Only the critical path'],
  [['+', '−'], 'Nearer, farther'],
  [['0'], 'The whole trace'],
  [['f'], 'Zoom to the operation'],
  [['[', ']'], 'Earlier, later'],
  [['/'], 'Search in the trace'],
];

export function KeysHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="facts tr-keys">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((it) => (
                <kbd key={it}>{it}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="faint small">With a mouse: Ctrl and the wheel zoom, a drag over the axis or the overview zooms to what it covers, a double click shows the whole.</p>
    </Dialog>
  );
}
