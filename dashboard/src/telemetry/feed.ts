// A list that grows at both ends: older pages are asked for, newer things arrive live. Keeps the list still while somebody reads
// it (`hold`): what arrives then waits beside it and is counted.
//
// Refuses to grow without end: beyond `most` the oldest go, and can be asked for again. A refresh that does not reach down to
// what is there replaces the list, so that it never has a hole.
// Invariant: everything in `held` would be in `lines`, were it not held; `lines` has no hole, held or not.
import { signal } from '@preact/signals';
import { backoffMs } from '@/api/live';
import { ApiError, isAbort } from '@/api/problem';

/** What a list is of. */
export interface Rules<T> {
  key(it: T): string;
  /** Unix milliseconds by which it is ordered. */
  at(it: T): number;
  page(ask: PageAsk, signal: AbortSignal): Promise<{ items: T[]; next: string | null }>;
  /** Puts what is newer, or known and told again, into a list. */
  merge(lines: readonly T[], more: readonly T[]): T[];
  /** Most that are kept. */
  most: number;
  /** How many the first page, a further one and a refresh ask for. */
  first: number;
  further: number;
  refresh: number;
}

export interface PageAsk {
  limit: number;
  cursor: string | null;
  /** Latest time, unix milliseconds: to go on where a list was cut. */
  until: number | null;
}

export class Feed<T> {
  readonly lines = signal<readonly T[]>([]);
  readonly held = signal<readonly T[]>([]);
  /** What the stream could not tell in time, since the list was last complete. */
  readonly missed = signal(0);
  readonly loading = signal(true);
  readonly loadingOlder = signal(false);
  readonly error = signal<ApiError | null>(null);
  /** Whether there is something older. */
  readonly more = signal(false);
  readonly staleSinceUnixMs = signal<number | null>(null);

  #rules: Rules<T>;
  #next: string | null = null;
  #holding = false;
  /** A refresh that does not reach down to what is there, while that is held: it replaces the list afterwards. */
  #apart: { items: T[]; next: string | null } | null = null;
  #asked = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #goodUnixMs = 0;
  #refreshing = false;
  #again = false;
  /** The question itself is wrong: asking it again changes nothing. */
  #refused = false;

  constructor(rules: Rules<T>) {
    this.#rules = rules;
  }

  /** Whether the question was taken: what the API refuses, its live stream refuses too. Subscribes whoever renders. */
  get taken(): boolean {
    const status = this.error.value?.status ?? 0;
    return !this.loading.value && !(status >= 400 && status < 500 && status !== 429);
  }

  /** Asks for the first page, or, of a list that was left and is shown again, for what is new; returns how to stop. */
  start(): () => void {
    this.#asked = new AbortController();
    this.#refused = false;
    void (this.loading.peek() || this.lines.peek().length === 0 ? this.#reload() : this.refresh());
    return () => {
      clearTimeout(this.#timer);
      this.#asked.abort();
      this.#refreshing = false;
    };
  }

  /** Something arrived: it appears at once, or is held. */
  arrived(items: readonly T[], missed = 0): void {
    if (missed > 0) this.missed.value += missed;
    if (items.length === 0) return;
    if (!this.#holding) return this.#set(this.#rules.merge(this.lines.peek(), items));
    const known = new Set(this.lines.peek().map((it) => this.#rules.key(it)));
    const isKnown = (it: T) => known.has(this.#rules.key(it));
    const [told, fresh] = [items.filter(isKnown), items.filter((it) => !isKnown(it))];
    if (told.length > 0) this.#set(this.#rules.merge(this.lines.peek(), told));
    if (fresh.length > 0) this.held.value = this.#rules.merge(this.held.peek(), fresh).slice(0, this.#rules.most);
  }

  /** Keeps the list still, or lets what was held in. */
  hold(on: boolean): void {
    this.#holding = on;
    const waiting = this.held.peek();
    if (on || (waiting.length === 0 && this.#apart === null)) return;
    this.held.value = [];
    if (this.#apart === null) return this.#set(this.#rules.merge(this.lines.peek(), waiting));
    const { items, next } = this.#apart;
    const lowest = this.#rules.at(items[items.length - 1] as T);
    this.#replace(this.#rules.merge(items, waiting.filter((it) => this.#rules.at(it) >= lowest)), next);
  }

  /** Asks for the newest again. Calls while one is under way are one more after it; what was refused is not asked again. */
  async refresh(): Promise<void> {
    if (this.#refused) return;
    if (this.#refreshing || this.loading.peek()) {
      this.#again = true;
      return;
    }
    this.#refreshing = true;
    this.#again = false;
    try {
      const page = await this.#page({ limit: this.#rules.refresh, cursor: null, until: null });
      if (page !== null) this.#refreshed(page);
    } finally {
      this.#refreshing = false;
      if (this.#again && !this.#asked.signal.aborted) void this.refresh();
    }
  }

  /** Asks for what is older than the last. */
  async older(): Promise<void> {
    const last = this.lines.peek().at(-1);
    if (!this.more.peek() || this.loadingOlder.peek() || last === undefined) return;
    this.loadingOlder.value = true;
    const until = this.#next === null ? this.#rules.at(last) : null;
    const page = await this.#page({ limit: this.#rules.further, cursor: this.#next, until }).finally(() => (this.loadingOlder.value = false));
    if (page === null) return;
    const known = new Set(this.lines.peek().map((it) => this.#rules.key(it)));
    this.lines.value = [...this.lines.peek(), ...page.items.filter((it) => !known.has(this.#rules.key(it)))].slice(0, this.#rules.most);
    this.#goOnFrom(this.lines.peek().length < this.#rules.most ? page.next : null);
  }

  /** Asks for everything again, now. */
  again(): void {
    this.#refused = false;
    void (this.lines.peek().length === 0 ? this.#reload() : this.refresh());
  }

  async #reload(): Promise<void> {
    this.loading.value = true;
    const page = await this.#page({ limit: this.#rules.first, cursor: null, until: null });
    if (page === null) return;
    this.loading.value = false;
    this.#set(this.#rules.merge(this.lines.peek(), page.items));
    this.#goOnFrom(page.next);
    if (this.#again) void this.refresh();
  }

  #refreshed(page: { items: T[]; next: string | null }): void {
    const known = new Set(this.lines.peek().map((it) => this.#rules.key(it)));
    const joins = page.next === null || page.items.length === 0 || page.items.some((it) => known.has(this.#rules.key(it)));
    if (!joins && !this.#holding) return this.#replace(page.items, page.next);
    this.#apart = joins ? null : page;
    if (joins) this.missed.value = 0;
    this.arrived(page.items);
  }

  #replace(lines: readonly T[], next: string | null): void {
    this.#apart = null;
    this.missed.value = 0;
    this.lines.value = lines;
    this.#goOnFrom(next);
  }

  #goOnFrom(next: string | null): void {
    this.#next = next;
    this.more.value = next !== null;
  }

  #set(lines: readonly T[]): void {
    const cut = lines.length > this.#rules.most;
    this.lines.value = cut ? lines.slice(0, this.#rules.most) : lines;
    if (!cut) return;
    // The cursor is of a place below the cut: from now on it goes on by time.
    this.#next = null;
    this.more.value = true;
  }

  /** A page; null when it failed, which is said and tried again. */
  async #page(ask: PageAsk): Promise<{ items: T[]; next: string | null } | null> {
    const { signal: asked } = this.#asked;
    try {
      const page = await this.#rules.page(ask, asked);
      if (asked.aborted) return null;
      this.error.value = null;
      this.staleSinceUnixMs.value = null;
      [this.#failures, this.#goodUnixMs] = [0, Date.now()];
      return page;
    } catch (error) {
      if (!isAbort(error) && !asked.aborted) this.#failed(error);
      return null;
    }
  }

  #failed(error: unknown): void {
    const known = error instanceof ApiError ? error : new ApiError(0, 'The console failed', String(error));
    if (!(error instanceof ApiError)) reportError(error);
    this.error.value = known;
    this.loading.value = false;
    if (this.#goodUnixMs > 0) this.staleSinceUnixMs.value ??= this.#goodUnixMs;
    this.#refused = !known.unreachable && known.status < 500 && known.status !== 429;
    if (this.#refused) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.again(), Math.max(known.retryAfterMs ?? 0, backoffMs(this.#failures++, Math.random())));
  }
}
