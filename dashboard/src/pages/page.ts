// What a page is. See pages/index.ts for how one plugs in.
import type { ComponentType } from 'preact';
import type { IconName } from '@/ui/icon';

export interface Route {
  /** `/traces`, `/traces/:id`. */
  path: string;
  /** Gets the `:names` of the path, decoded. Rendered anew when the path changes, kept when only the query does. */
  view: ComponentType<{ params: Record<string, string> }>;
}

export interface Page {
  /** Name of its folder. */
  id: string;
  /** Word in the navigation; absent: not in the navigation. */
  title?: string;
  icon?: IconName;
  /** Place in the navigation; the map is 10, settings 90. */
  order?: number;
  routes: readonly Route[];
  /** Shown without the shell and without a session: login, setup. */
  bare?: boolean;
  /** Only for these; others do not see it in the navigation. */
  role?: 'admin';
}

export const definePage = (page: Page): Page => page;
