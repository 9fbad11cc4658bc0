// Icons: 16×16, one stroke, drawn here so that nothing is loaded. Decorative unless a label is given.
const SHAPES = {
  map: 'M2 4.500a2 2 0 1 0 4 0a2 2 0 1 0-4 0M10.500 3.500a2 2 0 1 0 4 0a2 2 0 1 0-4 0M7 12.500a2 2 0 1 0 4 0a2 2 0 1 0-4 0M6 4.300l4.500-.6M5.100 6.200l2.700 4.500M11.800 5.400l-2 5.300',
  traces: 'M2 3.500h7M4.500 6.500h7M6.500 9.500h7M4.500 12.500h4',
  logs: 'M2.500 3.500h11M2.500 6.500h8M2.500 9.500h11M2.500 12.500h6',
  services: 'M2.500 3h11v4h-11zM2.500 9h11v4h-11zM5 5h.01M5 11h.01',
  metrics: 'M2.500 13.500v-11M2.500 13.500h11M5 10.500l2.500-3.500 2 2 3.500-5',
  settings: 'M2 4.500h6M11 4.500h3M2 11.500h3M8 11.500h6M9.500 4.500m-1.500 0a1.500 1.500 0 1 0 3 0a1.500 1.500 0 1 0-3 0M6.500 11.500m-1.500 0a1.500 1.500 0 1 0 3 0a1.500 1.500 0 1 0-3 0',
  events: 'M9 1.500L3.500 9H8l-1 5.500L12.500 7H8z',
  jobs: 'M8 8m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M8 4.500V8l2.500 1.500',
  runs: 'M3 3.500h4v3H3zM9 9.500h4v3H9zM5 6.500v4.500h4',
  machines: 'M4 4m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M12 12m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M6 4h4.500a1.500 1.500 0 0 1 1.500 1.500V10M10 12H5.500A1.500 1.500 0 0 1 4 10.500V6',
  search: 'M7 7m-4.500 0a4.500 4.500 0 1 0 9 0a4.500 4.500 0 1 0-9 0M10.500 10.500l3.500 3.500',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.500l3.500 3.500L13 4.500',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  copy: 'M5.500 5.500h8v8h-8zM3 10.500h-.5v-8h8V3',
  link: 'M6.500 9.500l3-3M7 4.500l1.500-1.500a3 3 0 0 1 4.500 4.500L11.500 9M9 11.500L7.500 13A3 3 0 0 1 3 8.500L4.500 7',
  external: 'M9 2.500h4.500V7M13.500 2.500L7.500 8.500M11.500 9v4.500h-9v-9H7',
  filter: 'M2 3h12L9.500 8.500v5l-3-1.500V8.500z',
  down: 'M4 6l4 4 4-4',
  up: 'M4 10l4-4 4 4',
  right: 'M6 4l4 4-4 4',
  left: 'M10 4L6 8l4 4',
  pause: 'M5.500 3v10M10.500 3v10',
  play: 'M4.500 2.500v11l9-5.500z',
  refresh: 'M13 8a5 5 0 1 1-1.500-3.500L13.500 6M13.500 2.500V6H10',
  warn: 'M8 2L1.500 13.500h13zM8 6.500v3M8 11.500h.01',
  error: 'M8 8m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M8 4.500v4M8 11h.01',
  info: 'M8 8m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M8 7.500v4M8 5h.01',
  sun: 'M8 8m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z',
  auto: 'M8 8m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M8 2v12M8 11l5-3M8 7l4-2.500',
  account: 'M8 5.500m-2.500 0a2.500 2.500 0 1 0 5 0a2.500 2.500 0 1 0-5 0M3 14c0-3 2.500-4.500 5-4.500s5 1.500 5 4.500',
  exit: 'M6.500 2.500h-4v11h4M6.500 8H14M11 5l3 3-3 3',
  key: 'M5 11m-2.500 0a2.500 2.500 0 1 0 5 0a2.500 2.500 0 1 0-5 0M7 9l6-6M11 5l2 2M9.500 6.500l1.500 1.500',
  fit: 'M2.500 6v-3.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10',
  focus: 'M8 8m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M8 1.500v2.500M8 12v2.500M1.500 8H4M12 8h2.500',
  list: 'M5.500 4h8M5.500 8h8M5.500 12h8M2.500 4h.01M2.500 8h.01M2.500 12h.01',
  group: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z',
  download: 'M8 2.500v8M4.500 7.500L8 11l3.500-3.500M2.500 13.500h11',
  wrap: 'M2.500 4h11M2.500 8h9a2 2 0 0 1 0 4H8M10 10l-2 2 2 2M2.500 12h3',
  outside: 'M8 8m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M2 8h12M8 2c2.500 2 2.500 10 0 12M8 2c-2.500 2-2.500 10 0 12',
  http: 'M2 5.500h11M10 2.500l3 3-3 3M14 10.500H3M6 7.500l-3 3 3 3',
  rpc: 'M5.500 3L2 8l3.500 5M10.500 3L14 8l-3.500 5',
  user: 'M8 8m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M8 8m-5.500 0a5.500 5.500 0 1 0 11 0a5.500 5.500 0 1 0-11 0',
  more: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  menu: 'M2.500 4h11M2.500 8h11M2.500 12h11',
} as const;

export type IconName = keyof typeof SHAPES;

/** `label` is read aloud; without it the icon is decoration. */
export function Icon({ name, label, size = 16 }: { name: IconName; label?: string; size?: number }) {
  const aria = label ? { role: 'img' as const, 'aria-label': label } : { 'aria-hidden': true as const };
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" {...aria}>
      <path d={SHAPES[name]} />
    </svg>
  );
}

/** Icon of a channel or kind of method. */
export function kindIcon(kind: string): IconName {
  const known: Record<string, IconName> = { http: 'http', rpc: 'rpc', event: 'events', job: 'jobs', workflow: 'runs', user: 'user' };
  return known[kind] ?? 'user';
}
