// A fetch as state: data, error, whether it is old. Aborts when the component goes or asks for something else, keeps the last
// good data while it fails (and says since when it is old), and asks again with patience while the runtime is away. A tab that
// is hidden asks nothing; shown again, it asks at once for what has become old.
// Invariant: one request at a time; a reload meanwhile is one more after it.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { signal, type Signal } from '@preact/signals';
import { ApiError, isAbort } from '@/api/problem';
import { backoffMs } from '@/api/live';

export interface Resource<T> {
  data: Signal<T | null>;
  error: Signal<ApiError | null>;
  loading: Signal<boolean>;
  /** Set while `data` is what was true then and could not be refreshed. */
  staleSinceUnixMs: Signal<number | null>;
  /** Fetches again; keeps showing what is there. */
  reload(): void;
}

interface Options {
  /** Fetch again this often, milliseconds; not while the tab is hidden. */
  everyMs?: number;
  /** Do not fetch at all for now. */
  off?: boolean;
}

/**
 * Fetches with `load` and again whenever `key` changes. Data of another key is dropped at once.
 *
 * ```tsx
 * const traces = useResource(`traces?${query}`, (signal) => get<TracesPage>('/traces', query, signal));
 * ```
 */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>, options: Options = {}): Resource<T> {
  const state = useMemo(() => emptyResource<T>(), [key]);
  const loader = useRef(load);
  loader.current = load;
  const off = options.off ?? false;
  useEffect(() => (off ? undefined : keepAsking(state, (signal) => loader.current(signal), options.everyMs)), [state, off, options.everyMs]);
  return state;
}

export interface Inner<T> extends Resource<T> {
  again: () => void;
}

export function emptyResource<T>(): Inner<T> {
  const inner: Inner<T> = {
    data: signal<T | null>(null),
    error: signal<ApiError | null>(null),
    loading: signal(true),
    staleSinceUnixMs: signal<number | null>(null),
    again: () => {},
    reload: () => inner.again(),
  };
  return inner;
}

/** Asks now and as often as `everyMs` says, until the returned function is called. */
export function keepAsking<T>(state: Inner<T>, load: (signal: AbortSignal) => Promise<T>, everyMs: number | undefined): () => void {
  const stopped = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let goodUnixMs = 0;
  let asking = false;
  let onceMore = false;
  /** Its time came while nobody looked. */
  let due = false;

  const next = (afterMs: number | undefined) => {
    if (afterMs !== undefined) timer = setTimeout(() => (document.hidden ? (due = true) : ask()), afterMs);
  };
  const shown = () => {
    const old = everyMs !== undefined && Date.now() - goodUnixMs >= everyMs;
    if (!document.hidden && !asking && (due || old)) void ask();
  };
  const arrived = (data: T) => {
    failures = 0;
    goodUnixMs = Date.now();
    state.data.value = data;
    state.error.value = null;
    state.staleSinceUnixMs.value = null;
    next(everyMs);
  };
  const failed = (error: ApiError) => {
    state.error.value = error;
    if (state.data.peek() !== null) state.staleSinceUnixMs.value ??= goodUnixMs;
    const again = error.unreachable || error.status >= 500 || error.status === 429;
    next(again ? Math.max(error.retryAfterMs ?? 0, backoffMs(failures++, Math.random())) : everyMs);
  };
  const ask = async () => {
    if (asking) return void (onceMore = true);
    clearTimeout(timer);
    asking = true;
    due = onceMore = false;
    state.loading.value = true;
    try {
      const data = await load(stopped.signal);
      if (!stopped.signal.aborted) arrived(data);
    } catch (error) {
      if (isAbort(error) || stopped.signal.aborted) return;
      failed(error instanceof ApiError ? error : new ApiError(0, 'The console failed', String(error)));
      if (!(error instanceof ApiError)) reportError(error);
    } finally {
      asking = false;
      if (!stopped.signal.aborted) {
        state.loading.value = false;
        if (onceMore) void ask();
      }
    }
  };
  state.again = () => void ask();
  document.addEventListener('visibilitychange', shown);
  void ask();
  return () => {
    document.removeEventListener('visibilitychange', shown);
    clearTimeout(timer);
    stopped.abort();
    state.again = () => {};
  };
}
