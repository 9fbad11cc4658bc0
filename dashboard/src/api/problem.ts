// What can go wrong with a request, as one type. `detail` is a sentence for a person that says what to do.

export interface ProblemBody {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
}

/** A refusal of the runtime (`status` ≥ 400), or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Milliseconds to wait before asking again, where the runtime said so. */
  readonly retryAfterMs: number | null;

  constructor(status: number, title: string, detail: string, retryAfterMs: number | null = null) {
    super(detail || title);
    this.name = 'ApiError';
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.retryAfterMs = retryAfterMs;
  }

  /** Nobody is logged in (any more). */
  get nobody(): boolean {
    return this.status === 401;
  }

  /** The runtime could not be reached. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

export const unreachable = () =>
  new ApiError(0, 'The runtime does not answer', 'The runtime does not answer. The console tries again by itself.');

/** Reads a refusal; understands problem+json, and says something useful about anything else. */
export async function problemOf(answer: Response): Promise<ApiError> {
  const wait = Number(answer.headers.get('retry-after'));
  const retryAfterMs = answer.headers.has('retry-after') && Number.isFinite(wait) ? wait * 1000 : null;
  const fallback = answer.statusText || `Status ${answer.status}`;
  const body = (await answer.json().catch(() => null)) as (ProblemBody & { error?: string }) | null;
  const detail = body?.detail ?? body?.error ?? '';
  return new ApiError(answer.status, body?.title ?? fallback, detail || `The runtime refused: ${fallback}.`, retryAfterMs);
}

/** Whoever asked does not want to know any more. */
export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

/** The longest wait for an answer is over. */
export const isTooLate = (error: unknown): boolean => error instanceof DOMException && error.name === 'TimeoutError';
