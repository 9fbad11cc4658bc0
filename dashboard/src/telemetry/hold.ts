// A list that grows by itself stands still while somebody reads it: while it is scrolled, and for a moment after the pointer moved
// over it, because then somebody is about to click.
import { useEffect, useRef } from 'preact/hooks';
import type { Feed } from './feed';

const STILL_MS = 2_000;

export interface Hold {
  /** Whether the first line is in view. */
  atTop(top: boolean): void;
  /** The pointer moved over the list. */
  touched(): void;
  /** It left, or what was held was asked for. */
  left(): void;
}

export function useHold<T>(feed: Feed<T>): Hold {
  const state = useRef({ top: true, timer: undefined as ReturnType<typeof setTimeout> | undefined });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  const settle = () => feed.hold(!state.current.top || state.current.timer !== undefined);
  const left = () => {
    clearTimeout(state.current.timer);
    state.current.timer = undefined;
    settle();
  };
  const touched = () => {
    clearTimeout(state.current.timer);
    state.current.timer = setTimeout(left, STILL_MS);
    settle();
  };
  const atTop = (top: boolean) => {
    state.current.top = top;
    settle();
  };
  return { atTop, touched, left };
}
