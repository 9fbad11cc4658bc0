// Values of settings as people read and write them. Pure.
//
// Refuses to decide: the runtime has the last word on a value; what is said here is said earlier.
// Invariant: `writeValue` of what a field shows is the text the API takes for it.

import type { SettingSummary } from '@/api/types';

/** A setting with everything an editor needs; see `settingOf`. */
export type Setting = Required<SettingSummary>;

/** Fills in what an older runtime does not say. */
export function settingOf(it: SettingSummary): Setting {
  return {
    ...it,
    section: it.section ?? it.key.split('.')[0] ?? '',
    kind: it.kind ?? 'text',
    unit: it.unit ?? null,
    min: it.min ?? null,
    max: it.max ?? null,
    choices: it.choices ?? null,
    requires_restart: it.requires_restart ?? false,
  };
}

const MS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** The order in which sections are shown; others follow by name. */
const SECTIONS = [
  'network', 'console', 'identity', 'registry', 'rpc', 'http', 'events', 'workflows', 'jobs',
  'telemetry', 'alerts',
];

/** `90000` is `1 min 30 s`: at most two units, the rest is not lost but follows in milliseconds. */
export function humanMs(ms: number): string {
  return compose(ms, MS, 'd');
}

/** `65536` is `64 KiB`. A number that is no round one keeps its bytes. */
export function humanBytes(bytes: number): string {
  const whole = Object.entries(BYTES).reverse().find(([, size]) => bytes >= size && bytes % size === 0);
  return whole === undefined ? `${bytes} B` : `${bytes / whole[1]} ${whole[0]}`;
}

function compose(amount: number, sizes: Record<string, number>, top: string): string {
  if (amount === 0) return `0 ${Object.keys(sizes)[0] ?? ''}`;
  const parts: string[] = [];
  let left = amount;
  for (const [unit, size] of Object.entries(sizes).reverse()) {
    const count = Math.floor(left / size);
    if (count === 0) continue;
    left -= count * size;
    parts.push(unit === top ? `${count} ${count === 1 ? 'day' : 'days'}` : `${count} ${unit}`);
  }
  return parts.join(' ');
}

/** How a number in a unit is said beside it; undefined when that would say nothing new. */
export function besides(unit: string | null | undefined, text: string): string | undefined {
  if (!/^\d+$/.test(text.trim())) return undefined;
  const number = Number(text);
  if (unit === 'ms' && number >= 1_000) return humanMs(number);
  if (unit === 'bytes' && number >= 1_024) return humanBytes(number);
  return undefined;
}

/** `7d`, `1h 30min` or `64 KiB` as the number of the unit; other text stays as it is. */
export function readHuman(unit: string | null | undefined, text: string): string {
  const sizes: Record<string, number> | undefined =
    unit === 'ms'
      ? { ...MS, m: MS.min, day: MS.d, days: MS.d, sec: MS.s, hours: MS.h, hour: MS.h }
      : unit === 'bytes'
        ? { b: 1, bytes: 1, k: BYTES.KiB, kib: BYTES.KiB, m: BYTES.MiB, mib: BYTES.MiB,
            g: BYTES.GiB, gib: BYTES.GiB, t: BYTES.TiB, tib: BYTES.TiB }
        : undefined;
  const trimmed = text.trim();
  if (sizes === undefined || /^\d*$/.test(trimmed)) return trimmed;
  let sum = 0;
  let rest = trimmed;
  while (rest !== '') {
    const part = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*/.exec(rest);
    const size = part ? sizes[(part[2] ?? '').toLowerCase()] : undefined;
    if (!part || size === undefined) return trimmed;
    sum += Number(part[1]) * size;
    rest = rest.slice(part[0].length);
  }
  return String(Math.round(sum));
}

/** Text of an API value from what a field shows. */
export function writeValue(setting: Setting, shown: string): string {
  if (setting.kind === 'integer') return readHuman(setting.unit, shown);
  if (setting.kind === 'words') return wordsOf(shown).join(',');
  return shown;
}

/** The words of a list: trimmed, lower case, none twice, in the order given. */
export function wordsOf(text: string): string[] {
  const words = text.split(/[\s,]+/).map((it) => it.trim().toLowerCase());
  return [...new Set(words.filter((it) => it !== ''))];
}

/** What is wrong with a text for this setting, as a sentence that says what to do. */
export function faultOf(setting: Setting, shown: string): string | undefined {
  const text = writeValue(setting, shown);
  switch (setting.kind) {
    case 'integer': {
      if (text === '') return 'Enter a number, or reset to the default.';
      if (!/^-?\d+$/.test(text)) {
        return setting.unit === 'ms' ? 'Enter milliseconds, or a span like 90s, 15min or 7d.'
          : setting.unit === 'bytes' ? 'Enter bytes, or a size like 64KiB or 4GiB.'
            : 'Enter a whole number.';
      }
      const number = Number(text);
      const low = setting.min ?? -Infinity;
      const high = setting.max ?? Infinity;
      if (number < low || number > high) {
        return `Enter ${withUnit(setting, low)} to ${withUnit(setting, high)}.`;
      }
      return undefined;
    }
    case 'choice':
      return setting.choices?.includes(text) === false
        ? `Choose one of ${setting.choices.join(', ')}.` : undefined;
    case 'words': {
      const bad = wordsOf(shown).find((it) => !/^[a-z0-9_-]{1,64}$/.test(it));
      return bad === undefined ? undefined
        : `“${bad.slice(0, 40)}” is not a word of a–z, 0–9, _ and -, at most 64 long.`;
    }
    default:
      return undefined;
  }
}

/** A number of a setting with its unit, for people. */
export function withUnit(setting: Pick<Setting, 'unit'>, number: number): string {
  if (setting.unit === 'ms') return humanMs(number);
  if (setting.unit === 'bytes') return humanBytes(number);
  return setting.unit ? `${number.toLocaleString('en')} ${setting.unit}` : String(number);
}

/** A value as it is listed: spans and sizes said humanly, an empty list named. */
export function shownValue(setting: Setting, text: string): string {
  if (setting.kind === 'integer' && /^-?\d+$/.test(text)) return withUnit(setting, Number(text));
  if (setting.kind === 'switch') return text === 'true' ? 'on' : 'off';
  return text === '' ? '(empty)' : text.split(',').join(', ');
}

/** The value that counts from the next start on. */
export function nextValue(setting: Setting): string {
  return setting.pending ?? setting.value;
}

/** Whether somebody set it to something else than its default. */
export function isChanged(setting: Setting): boolean {
  return nextValue(setting) !== setting.default;
}

/** The meaning without the remark that nothing reads the setting yet. */
export function meaning(doc: string): { text: string; unused?: string } {
  const found = /^(.*?)\s*(Read once [^.]*)\.?$/s.exec(doc.trim());
  return found?.[1] ? { text: found[1], unused: found[2] ?? '' } : { text: doc.trim() };
}

/** Settings that match every word, by section. */
export function bySection(settings: Setting[], words: string): [string, Setting[]][] {
  const wanted = words.toLowerCase().split(/\s+/).filter((it) => it !== '');
  const sections = new Map<string, Setting[]>();
  for (const it of settings) {
    const text = `${it.key} ${it.doc} ${it.value}`.toLowerCase();
    if (!wanted.every((word) => text.includes(word))) continue;
    const found = sections.get(it.section);
    if (found) found.push(it);
    else sections.set(it.section, [it]);
  }
  const order = (name: string) => (SECTIONS.includes(name) ? SECTIONS.indexOf(name) : SECTIONS.length);
  return [...sections].sort(([a], [b]) => order(a) - order(b) || a.localeCompare(b));
}
