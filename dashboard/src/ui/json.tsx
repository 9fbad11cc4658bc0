// JSON as a tree that opens and closes. Everything is text nodes, never markup, so that a payload cannot become code. Long
// strings are cut until asked for, long lists open in pieces: a 5 MB payload does not stop the page.
import { useState } from 'preact/hooks';
import { plural } from './format';

const OPEN_DEPTH = 2;
const PIECE = 100;
const TEXT_MAX = 400;

/** `open`: how many levels are open at first. */
export function JsonView({ value, open = OPEN_DEPTH, label = 'JSON' }: { value: unknown; open?: number; label?: string }) {
  return (
    <div class="json mono" role="group" aria-label={label}>
      <Node value={value} depth={0} open={open} />
    </div>
  );
}

interface NodeProps {
  name?: string;
  value: unknown;
  depth: number;
  open: number;
}

function Node({ name, value, depth, open }: NodeProps) {
  const nested = typeof value === 'object' && value !== null;
  return nested ? (
    <Branch {...(name !== undefined ? { name } : {})} value={value as object} depth={depth} open={open} />
  ) : (
    <div class="json-line" style={{ paddingLeft: `${depth * 16 + 16}px` }}>
      {name !== undefined && <Name text={name} />}
      <Leaf value={value} />
    </div>
  );
}

const Name = ({ text }: { text: string }) => (
  <>
    <span class="json-key">{text}</span>
    <span class="faint">: </span>
  </>
);

function Branch({ name, value, depth, open }: NodeProps & { value: object }) {
  const [opened, setOpened] = useState(depth < open);
  const [shown, setShown] = useState(PIECE);
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const size = list ? plural(entries.length, 'item') : plural(entries.length, 'field');
  return (
    <div>
      <button class="json-line json-fold" type="button" style={{ paddingLeft: `${depth * 16}px` }} aria-expanded={opened} onClick={() => setOpened(!opened)}>
        <span class={`json-arrow ${opened ? 'open' : ''}`} aria-hidden="true" />
        {name !== undefined && <Name text={name} />}
        <span class="faint">
          {list ? '[' : '{'}
          {!opened && ` ${size} ${list ? ']' : '}'}`}
        </span>
      </button>
      {opened && (
        <div>
          {entries.slice(0, shown).map(([key, it]) => (
            <Node key={key} name={key} value={it} depth={depth + 1} open={open} />
          ))}
          {entries.length > shown && (
            <button class="json-more" type="button" style={{ marginLeft: `${depth * 16 + 32}px` }} onClick={() => setShown(shown + PIECE)}>
              {plural(entries.length - shown, 'more', 'more')}
            </button>
          )}
          <div class="json-line faint" style={{ paddingLeft: `${depth * 16 + 16}px` }}>
            {list ? ']' : '}'}
          </div>
        </div>
      )}
    </div>
  );
}

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== 'string') return <span class={`json-${value === null ? 'null' : typeof value}`}>{String(value)}</span>;
  const cut = !whole && value.length > TEXT_MAX;
  return (
    <span class="json-string">
      "{cut ? value.slice(0, TEXT_MAX) : value}"
      {cut && (
        <button class="json-more" type="button" onClick={() => setWhole(true)}>
          … {plural(value.length - TEXT_MAX, 'more character')}
        </button>
      )}
    </span>
  );
}
