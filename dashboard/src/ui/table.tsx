// A table of any length: only rows in view are in the document. Rows have one height; a row is chosen by click, arrows and
// Enter. `role=grid` with counts, so that a screen reader knows how long it is.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { keeperOf, type Keeper } from '@/route/kept';

export interface Column<T> {
  key: string;
  title: string;
  /** CSS grid track: `120px`, `minmax(120px, 2fr)`. */
  width: string;
  cell: (row: T) => ComponentChildren;
  numeric?: boolean;
  /** Given, the header sorts; see `sort`. */
  sortable?: boolean;
}

export interface Sort {
  key: string;
  descending: boolean;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  /** Enter or click on a row. */
  onOpen?: (row: T) => void;
  /** A link of the row: middle click and “open in new tab” work. */
  rowHref?: (row: T) => string;
  selected?: string | null;
  rowClass?: (row: T) => string;
  rowHeight?: number;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  /** Shown below the last row: a pager, “loading”. */
  foot?: ComponentChildren;
  /** The end of the list comes into view. */
  onEnd?: () => void;
  /** Told when the first visible row is or is not the first row: for “12 new” pills. */
  onTop?: (atTop: boolean) => void;
  /** Given, one comes back to where one was in it: a name that no other table of the page has. */
  keep?: string;
}

/** Where one was in a table. */
interface Spot {
  top: number;
  cursor: number;
  /** A row had the focus. */
  focused: boolean;
}

const ROW_PX = 32;
const HEAD_PX = 32;
const OVERSCAN_ROWS = 8;
/** Rows that are drawn before the table's height is known. */
const FIRST_ROWS = 16;
/** So many rows before the last one `onEnd` is told. */
const END_ROWS = 12;
// As `.table-head` and `.tr` have them in blocks.css.
const GAP_PX = 16;
const PAD_PX = 16;

interface Slice {
  from: number;
  shown: number;
}

/** Which rows are in view; tells `onTop` and `onEnd`. */
function useSlice<T>(box: { current: HTMLDivElement | null }, props: Props<T>, spot: Spot | undefined): [Slice, () => void] {
  const [slice, setSlice] = useState<Slice>({ from: 0, shown: FIRST_ROWS });
  const asked = useRef(-1);
  const begun = useRef(false);
  const measure = () => {
    const it = box.current;
    if (!it) return;
    const { rows, rowHeight = ROW_PX } = props;
    const first = Math.max(0, Math.floor(it.scrollTop / rowHeight) - OVERSCAN_ROWS);
    const next = { from: first - (first % 4), shown: Math.ceil(it.clientHeight / rowHeight) + OVERSCAN_ROWS * 2 + 4 };
    setSlice((now) => (now.from === next.from && now.shown === next.shown ? now : next));
    props.onTop?.(it.scrollTop < rowHeight);
    const nearEnd = it.scrollTop + it.clientHeight > (rows.length - END_ROWS) * rowHeight;
    if (nearEnd && rows.length > 0 && asked.current !== rows.length) {
      asked.current = rows.length;
      props.onEnd?.();
    }
  };
  const latest = useRef(measure);
  latest.current = measure;
  useLayoutEffect(() => {
    if (begun.current) measure();
  }, [props.rows.length]);
  // Before it is painted, and before anything new arrives that a list at its top would take in.
  useLayoutEffect(() => {
    if (spot && box.current) {
      box.current.scrollTop = spot.top;
      measure();
    }
  }, []);
  useEffect(() => {
    begun.current = true;
    if (!box.current) return;
    // It tells the size at once, too: in a task after the one that drew the first rows.
    const observer = new ResizeObserver(() => latest.current());
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [slice, measure];
}

/** Scrolls as little as brings row `index` into view below the head. */
function bringIntoView(box: HTMLDivElement, index: number, rowHeight: number): void {
  const top = index * rowHeight;
  const low = top + rowHeight + HEAD_PX - box.clientHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (low > box.scrollTop) box.scrollTop = low;
}

/** How many rows a key moves; undefined: it is no key of the table. */
function stepOf(key: string, page: number, rows: number): number | undefined {
  const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -rows, End: rows };
  return steps[key];
}

export function DataTable<T>(props: Props<T>) {
  const { rows, columns, rowHeight = ROW_PX } = props;
  const box = useRef<HTMLDivElement>(null);
  const keeper = useMemo<Keeper<Spot>>(() => keeperOf(`table ${props.keep ?? ''}`), []);
  const spot = useMemo(() => (props.keep === undefined ? undefined : keeper.read()), []);
  const [slice, measure] = useSlice(box, props, spot);
  const [cursor, setCursor] = useState(spot?.cursor ?? 0);
  const at = Math.min(cursor, Math.max(0, rows.length - 1));
  const keep = (change: Partial<Spot>) => {
    if (props.keep !== undefined) keeper.write({ ...(keeper.read() ?? { top: 0, cursor: 0, focused: false }), ...change });
  };
  const scrolled = () => {
    keep({ top: box.current?.scrollTop ?? 0 });
    measure();
  };
  const focused = (row: number) => {
    keep({ cursor: row, focused: true });
    setCursor(row);
  };
  // The row is drawn by then.
  useEffect(() => {
    if (spot?.focused) requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-row="${spot.cursor}"]`)?.focus({ preventScroll: true }));
  }, []);
  const go = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setCursor(next);
    const it = box.current;
    if (!it) return;
    bringIntoView(it, next, rowHeight);
    measure();
    requestAnimationFrame(() => it.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus());
  };
  const onKey = (event: KeyboardEvent) => {
    if (!(event.target as HTMLElement).hasAttribute('data-row')) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 320) / rowHeight) - 2);
    const step = stepOf(event.key, page, rows.length);
    const row = rows[at];
    const opens = event.key === 'Enter' && row !== undefined && props.onOpen !== undefined;
    if (step === undefined && !opens) return;
    event.preventDefault();
    if (step !== undefined) go(at + step);
    else if (row !== undefined) props.onOpen?.(row);
  };
  const template = { gridTemplateColumns: columns.map((it) => it.width).join(' ') };
  const least = { minWidth: `${leastWidth(columns.map((it) => it.width))}px` };
  return (
    <div class="table" ref={box} onScroll={scrolled}>
      <div class="table-grid" role="grid" aria-label={props.label} aria-rowcount={rows.length + 1} aria-colcount={columns.length} style={least}>
        <div class="table-head" role="row" aria-rowindex={1} style={template}>
          {columns.map((it) => (
            <Head key={it.key} column={it} {...(props.sort ? { sort: props.sort } : {})} {...(props.onSort ? { onSort: props.onSort } : {})} />
          ))}
        </div>
        <div class="table-body" role="rowgroup" style={{ height: `${rows.length * rowHeight}px` }} onKeyDown={onKey}>
          <Rows {...{ props, slice, template, at }} onFocus={focused} />
        </div>
      </div>
      {props.foot}
    </div>
  );
}

interface RowsProps<T> {
  props: Props<T>;
  slice: Slice;
  template: { gridTemplateColumns: string };
  /** The row that Tab reaches. */
  at: number;
  onFocus: (index: number) => void;
}

function Rows<T>({ props, slice, template, at, onFocus }: RowsProps<T>) {
  const { columns, rowHeight = ROW_PX } = props;
  return (
    <>
      {props.rows.slice(slice.from, slice.from + slice.shown).map((row, offset) => {
        const index = slice.from + offset;
        const key = props.rowKey(row);
        return (
          <Row
            key={key}
            {...{ row, index, template, columns }}
            top={index * rowHeight}
            height={rowHeight}
            focusable={index === at}
            selected={props.selected === key}
            onFocus={() => onFocus(index)}
            look={props.rowClass?.(row) ?? ''}
            {...(props.onOpen ? { onOpen: props.onOpen } : {})}
            {...(props.rowHref ? { href: props.rowHref(row) } : {})}
          />
        );
      })}
    </>
  );
}

/** The sum of the least widths of grid tracks (`120px`, `minmax(160px, 2fr)`), with gaps: rows share it, so columns line up. */
export function leastWidth(tracks: readonly string[]): number {
  const least = tracks.map((it) => Number(/(\d+)px/.exec(it)?.[1] ?? 80));
  return least.reduce((sum, it) => sum + it, 0) + GAP_PX * (tracks.length - 1) + PAD_PX * 2;
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort?: Sort; onSort?: (sort: Sort) => void }) {
  const mine = sort?.key === column.key;
  const aria = mine ? (sort?.descending ? 'descending' : 'ascending') : 'none';
  const kind = `th ${column.numeric ? 'num' : ''}`;
  if (!column.sortable || !onSort) {
    return (
      <div class={kind} role="columnheader">
        {column.title}
      </div>
    );
  }
  return (
    <div class={kind} role="columnheader" aria-sort={aria}>
      <button type="button" onClick={() => onSort({ key: column.key, descending: mine ? !sort?.descending : Boolean(column.numeric) })}>
        {column.title}
        <span aria-hidden="true">{mine ? (sort?.descending ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </div>
  );
}

interface RowProps<T> {
  row: T;
  index: number;
  top: number;
  height: number;
  template: { gridTemplateColumns: string };
  columns: readonly Column<T>[];
  focusable: boolean;
  selected: boolean;
  look: string;
  href?: string;
  onFocus: () => void;
  onOpen?: (row: T) => void;
}

function Row<T>({ row, index, top, height, template, columns, focusable, selected, look, href, onFocus, onOpen }: RowProps<T>) {
  const open = (event: MouseEvent) => {
    if ((event.target as Element).closest('a, button, input')) return;
    if (getSelection()?.toString()) return;
    if (href && (event.metaKey || event.ctrlKey)) window.open(href, '_blank', 'noopener');
    else onOpen?.(row);
  };
  return (
    <div
      class={`tr ${onOpen ? 'opens' : ''} ${selected ? 'selected' : ''} ${look}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      data-row={index}
      tabIndex={focusable ? 0 : -1}
      style={{ ...template, transform: `translateY(${top}px)`, height: `${height}px` }}
      onFocus={onFocus}
      onClick={open}
    >
      {columns.map((it) => (
        <div key={it.key} class={`td ${it.numeric ? 'num' : ''}`} role="gridcell">
          {it.cell(row)}
        </div>
      ))}
    </div>
  );
}
