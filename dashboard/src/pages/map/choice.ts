// What is chosen on the map, in the URL's query: a service, a group or a call, the focus, grouping and the view. A link to the map
// shows somebody else the same.
import { place, setQuery } from '@/route/router';
import { GROUP_ABOVE } from './group';

export type Selected = { kind: 'node'; id: string } | { kind: 'link'; id: string } | null;

/** `?select=s:orders`, `?select=s:orders>s:payments`. */
export function selected(): Selected {
  const text = place.value.query.get('select');
  if (!text) return null;
  return { kind: text.includes('>') ? 'link' : 'node', id: text };
}

export const select = (id: string | null): void => setQuery({ select: id });

export const focusName = (): string | null => place.value.query.get('focus');
export const focusHops = (): number => (place.value.query.get('hops') === '2' ? 2 : 1);
export const focusOn = (name: string | null, hops = 1): void => setQuery({ focus: name, hops: name && hops === 2 ? '2' : null });

/** Grouped by wish, or by itself when there are many. Focus shows services, never groups. */
export function grouped(services: number): boolean {
  const wish = place.value.query.get('group');
  if (focusName() !== null) return false;
  return wish === 'on' || (wish !== 'off' && services > GROUP_ABOVE);
}
export const setGrouped = (on: boolean): void => setQuery({ group: on ? 'on' : 'off', open: null });

/** Prefixes of open groups. */
export const openGroups = (): Set<string> => new Set((place.value.query.get('open') ?? '').split(',').filter(Boolean));
export function toggleGroup(prefix: string): void {
  const open = openGroups();
  if (!open.delete(prefix)) open.add(prefix);
  setQuery({ open: [...open].join(',') || null });
}

export const showsAbsent = (): boolean => place.value.query.get('absent') === 'true';
export const showsList = (): boolean => place.value.query.get('view') === 'list';
