// A table of any length: only rows in view are in the document. Rows have one height; a row is chosen by click, arrows and
// Enter. `role=grid` with counts, so that a screen reader knows how long it is.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

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
}

const OVERSCAN_ROWS = 8;

export function DataTable<T>(props: Props<T>) {
  const { rows, columns, rowKey, rowHeight = 32 } = props;
  const box = useRef<HTMLDivElement>(null);
  const [from, setFrom] = useState(0);
  const [shown, setShown] = useState(40);
  const [cursor, setCursor] = useState(0);
  const asked = useRef(-1);

  const measure = () => {
    const it = box.current;
    if (!it) return;
    const first = Math.max(0, Math.floor(it.scrollTop / rowHeight) - OVERSCAN_ROWS);
    setFrom(first - (first % 4));
    setShown(Math.ceil(it.clientHeight / rowHeight) + OVERSCAN_ROWS * 2 + 4);
    props.onTop?.(it.scrollTop < rowHeight);
    const nearEnd = it.scrollTop + it.clientHeight > (rows.length - 12) * rowHeight;
    if (nearEnd && rows.length > 0 && asked.current !== rows.length) {
      asked.current = rows.length;
      props.onEnd?.();
    }
  };
  useLayoutEffect(measure, [rows.length]);
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  const at = Math.min(cursor, Math.max(0, rows.length - 1));
  const go = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setCursor(next);
    const it = box.current;
    if (!it) return;
    const head = 32;
    const top = next * rowHeight;
    if (top < it.scrollTop) it.scrollTop = top;
    else if (top + rowHeight + head > it.scrollTop + it.clientHeight) it.scrollTop = top + rowHeight + head - it.clientHeight;
    measure();
    requestAnimationFrame(() => it.querySelector<HTMLElement>(`[data-row="${next}"]`)?.focus());
  };
  const onKey = (event: KeyboardEvent) => {
    if (!(event.target as HTMLElement).hasAttribute('data-row')) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 320) / rowHeight) - 2);
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
    const step = steps[event.key];
    const row = rows[at];
    if (step !== undefined) {
      event.preventDefault();
      go(at + step);
    } else if (event.key === 'Enter' && row && props.onOpen) {
      event.preventDefault();
      props.onOpen(row);
    }
  };

  const template = { gridTemplateColumns: columns.map((it) => it.width).join(' ') };
  const slice = rows.slice(from, from + shown);
  return (
    <div class="table" ref={box} onScroll={measure}>
      <div class="table-grid" role="grid" aria-label={props.label} aria-rowcount={rows.length + 1} aria-colcount={columns.length}>
      <div class="table-head" role="row" aria-rowindex={1} style={template}>
        {columns.map((it) => (
          <Head key={it.key} column={it} {...(props.sort ? { sort: props.sort } : {})} {...(props.onSort ? { onSort: props.onSort } : {})} />
        ))}
      </div>
      <div class="table-body" role="rowgroup" style={{ height: `${rows.length * rowHeight}px` }} onKeyDown={onKey}>
        {slice.map((row, offset) => {
          const index = from + offset;
          const key = rowKey(row);
          return (
            <Row
              key={key}
              row={row}
              index={index}
              top={index * rowHeight}
              height={rowHeight}
              template={template}
              columns={columns}
              focusable={index === at}
              selected={props.selected === key}
              onFocus={() => setCursor(index)}
              look={props.rowClass?.(row) ?? ''}
              {...(props.onOpen ? { onOpen: props.onOpen } : {})}
              {...(props.rowHref ? { href: props.rowHref(row) } : {})}
            />
          );
        })}
      </div>
      </div>
      {props.foot}
    </div>
  );
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
