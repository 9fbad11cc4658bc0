// Whether an element is near the view, so that what is far away need not be drawn. One observer for all of them.
import { useEffect, useRef, useState } from 'preact/hooks';

const MARGIN = '400px';

const heard = new WeakMap<Element, (entry: IntersectionObserverEntry) => void>();
let observer: IntersectionObserver | null = null;

function watched(): IntersectionObserver {
  // The page scrolls inside of a box: that takes the second margin, where a browser knows it.
  const options = { rootMargin: MARGIN, scrollMargin: MARGIN };
  observer ??= new IntersectionObserver((entries) => entries.forEach((it) => heard.get(it.target)?.(it)), options);
  return observer;
}

/** The element's ref, whether it is near, and how high it was when it was (`heightPx` before): far away it keeps its room. */
export function useNear<E extends Element>(heightPx: number): [{ current: E | null }, boolean, number] {
  const box = useRef<E>(null);
  const height = useRef(heightPx);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    heard.set(element, (entry) => {
      if (!entry.isIntersecting) height.current = entry.boundingClientRect.height || height.current;
      setNear(entry.isIntersecting);
    });
    watched().observe(element);
    return () => watched().unobserve(element);
  }, []);
  return [box, near, height.current];
}
