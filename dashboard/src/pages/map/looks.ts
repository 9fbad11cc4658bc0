// How a call looks: width tells the rate, colour the share of errors, dashes “declared, not called”, dots “called, not
// declared”; among many calls those that carry little step back. Pure; the worker paints what this describes.
import type { Load } from '@/api/types';
import { rate } from '@/ui/format';
import type { Curve, Rect } from './curve';
import { errorTone, OUTSIDE_ID, type MapLink, type Tone } from './model';

export interface Line {
  link: MapLink;
  curve: Curve;
  load: Load | null;
}

/** `dim`: something else is chosen. `lit`: this belongs to what is chosen. */
export type Emphasis = 'normal' | 'dim' | 'lit';

/** `long`: declared and not called. `dots`: called and not declared. */
export type Dash = 'none' | 'long' | 'dots';

export interface Look {
  /** Name of a colour. */
  token: string;
  width: number;
  alpha: number;
  dash: Dash;
}

/** All calls as the worker gets them: looks, and for each of them the curves that have it, eight numbers each. */
export interface Picture {
  looks: Look[];
  curves: Float32Array[];
  labels: { curve: Curve; text: string; bad: boolean }[];
  /** What labels must not lie over: x, y, width, height. */
  solid: Float32Array;
}

const WIDTHS = [1, 1.4, 1.9, 2.5, 3.3, 4.2];
const CROWD = 120;
const LABELS_MAX = 60;
const LABEL_ALL_MAX = 24;

/** 0 to 5: how strong a call is drawn; each step is a bit more than three times the rate. */
export function widthStep(perSecond: number): number {
  return perSecond <= 0 ? 0 : Math.max(1, Math.min(WIDTHS.length - 1, Math.ceil(Math.log10(1 + perSecond) * 2)));
}

export const LOOK_TOKENS: Record<Tone, string> = { ok: '--map-flow', warn: '--warn', bad: '--bad', idle: '--map-idle' };

function alphaOf(line: Line, emphasis: Emphasis, crowd: number): number {
  if (emphasis === 'dim') return 0.07;
  if (emphasis === 'lit') return 1;
  const step = widthStep(line.load?.per_second ?? 0);
  if (crowd < CROWD) return step === 0 ? 0.7 : 0.9;
  const strength = [0.1, 0.16, 0.3, 0.55, 0.8, 0.9][step] ?? 0.5;
  return errorTone(line.load) === 'bad' ? Math.max(0.6, strength) : strength;
}

/** Callers that are no service of this runtime declare nothing. */
function dashOf({ link, load }: Line): Dash {
  if (link.declared) return load === null ? 'long' : 'none';
  return load !== null && link.from !== OUTSIDE_ID ? 'dots' : 'none';
}

export function lookOf(line: Line, emphasis: Emphasis, crowd: number): Look {
  const tone = errorTone(line.load);
  const token = emphasis === 'lit' && (tone === 'ok' || tone === 'idle') ? '--accent' : LOOK_TOKENS[tone];
  const width = WIDTHS[widthStep(line.load?.per_second ?? 0)] ?? 1;
  return { token, width, alpha: alphaOf(line, emphasis, crowd), dash: dashOf(line) };
}

/** Faint ones first, so that what matters lies above. */
export function pictureOf(lines: readonly Line[], solid: Iterable<Rect>, emphasisOf: (link: MapLink) => Emphasis): Picture {
  const found = new Map<string, { look: Look; curves: number[] }>();
  const lit: Line[] = [];
  for (const line of lines) {
    const emphasis = emphasisOf(line.link);
    if (emphasis === 'lit') lit.push(line);
    const look = lookOf(line, emphasis, lines.length);
    const key = `${look.alpha}|${look.token}|${look.width}|${look.dash}`;
    const group = found.get(key) ?? { look, curves: [] };
    group.curves.push(...line.curve);
    found.set(key, group);
  }
  const groups = [...found.values()].sort((a, b) => a.look.alpha - b.look.alpha || a.look.width - b.look.width);
  return {
    looks: groups.map((it) => it.look),
    curves: groups.map((it) => Float32Array.from(it.curves)),
    labels: labelsOf(lit.length > 0 ? lit : lines.length <= LABEL_ALL_MAX ? lines : []),
    solid: Float32Array.from([...solid].flatMap((it) => [it.x, it.y, it.width, it.height])),
  };
}

/** The busiest first. */
function labelsOf(lines: readonly Line[]): Picture['labels'] {
  return lines
    .filter((it) => it.load)
    .sort((a, b) => (b.load?.per_second ?? 0) - (a.load?.per_second ?? 0))
    .slice(0, LABELS_MAX)
    .map(({ curve, load }) => ({ curve, text: rate(load?.per_second), bad: errorTone(load) === 'bad' }));
}
