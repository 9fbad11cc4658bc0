// The live map as the pages of services need it: what is registered, and what each service served in the last minute.
import { signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { subscribe } from '@/api/live';
import type { LiveService, Load } from '@/api/types';
import { loadsOf } from './model';

export interface LiveServices {
  services: Signal<LiveService[] | null>;
  /** By name; null until the first arrives. */
  loads: Signal<ReadonlyMap<string, Load> | null>;
  windowMs: Signal<number>;
}

/** `onChange`: a service came, went or was revoked. */
export function useLiveServices(onChange: () => void): LiveServices {
  const live = useMemo<LiveServices>(() => ({ services: signal(null), loads: signal(null), windowMs: signal(60_000) }), []);
  useEffect(() => {
    let sequence = -1;
    let listed = '';
    return subscribe({
      topics: ['map'],
      on: {
        map: (it) => {
          sequence = it.sequence;
          live.services.value = it.services;
          const before = listed;
          listed = it.services.map(({ name, status }) => `${name} ${status}`).join('\n');
          if (listed !== before) onChange();
        },
        load: (it) => {
          // Rows of another topology would be counted to the wrong services.
          if (it.sequence !== sequence) return;
          live.loads.value = loadsOf(live.services.peek() ?? [], it.services);
          live.windowMs.value = it.window_ms;
        },
      },
      onGap: onChange,
    });
  }, []);
  return live;
}
