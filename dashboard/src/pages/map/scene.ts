// The stage without its nodes' content: camera, places, lines, dots, and when to paint. One frame at most per animation frame; a
// frame does only what is dirty. Nodes are elements that it moves; lines
// are painted by a worker, dots on a canvas above them.
// Invariant: after a frame, elements, lines and dots belong to one camera and one set of places.
import { signal } from '@preact/signals';
import type { Load } from '@/api/types';
import { detailOf, fit, inView, reveal, type Camera, type Detail, type Extent, type Size } from './camera';
import { curveBetween, distanceTo, type Rect } from './curve';
import { dotsOf, Flow } from './flow';
import type { Graph, MapLink } from './model';
import { pictureOf, type Emphasis, type Line } from './looks';
import { Painter } from './painter';

/** Elements beyond the edge of the stage that stay in the document, stage pixels. */
const MARGIN_PX = 240;
/** Elements that come into the document in one frame: two hundred cards at once are one long task, fifty of them half of one. */
const MOUNT_MAX = 24;
const MOVE_MS = 320;
const HIT_PX = 7;
const BOW_PX = 80;

export interface Looks {
  emphasisOf: (link: MapLink) => Emphasis;
  loadOf: (link: MapLink) => Load | null;
  moving: boolean;
}

interface Parts {
  stage: HTMLElement;
  world: HTMLElement;
  lines: HTMLCanvasElement;
  dots: HTMLCanvasElement;
}

const ease = (t: number) => 1 - (1 - t) ** 3;

export class Scene {
  /** Ids of boxes near the view: only these are in the document. */
  readonly visible = signal<ReadonlySet<string>>(new Set());
  readonly detail = signal<Detail>('near');

  private camera: Camera = { left: 0, top: 0, k: 1 };
  /** The camera is where `fitAll` put it: nobody has moved it since. */
  private showsAll = false;
  private size: Size = { width: 0, height: 0 };
  private ratio = 1;
  private links: readonly MapLink[] = [];
  private frames: ReadonlySet<string> = new Set();
  private readonly boxes = new Map<string, Rect>();
  private targets = new Map<string, Rect>();
  private origins = new Map<string, Rect>();
  private lines: Line[] = [];
  private looks: Looks = { emphasisOf: () => 'normal', loadOf: () => null, moving: false };
  private readonly elements = new Map<string, HTMLElement>();
  private dirty = { camera: true, lines: true, strokes: true };
  /** More has come into view than one frame takes. */
  private waiting = false;
  private frameAsked = 0;
  private moveFrom = 0;
  private sharpen: ReturnType<typeof setTimeout> | undefined;
  private cameraGoal: { from: Camera; to: Camera; start: number } | null = null;
  private readonly flow: Flow;
  private readonly parts: Parts;
  private readonly painter: Painter;
  private readonly still = matchMedia('(prefers-reduced-motion: reduce)');

  constructor(parts: Parts) {
    this.parts = parts;
    this.painter = new Painter(parts.lines);
    this.flow = new Flow(parts.dots.getContext('2d')!, () => ({ camera: this.camera, stage: this.size, ratio: this.ratio }));
  }

  resize(width: number, height: number): void {
    this.size = { width, height };
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.parts.dots.width = Math.round(width * this.ratio);
    this.parts.dots.height = Math.round(height * this.ratio);
    this.mark('camera');
  }

  get aspect(): number {
    return this.size.height > 0 ? this.size.width / this.size.height : 1.6;
  }

  /** New places. What was there before moves to its new place; what is new appears at it. */
  place(graph: Graph, places: ReadonlyMap<string, Rect>): void {
    this.links = graph.links;
    this.frames = new Set(graph.inside.keys());
    this.origins = new Map([...this.boxes].filter(([id]) => places.has(id)));
    const moves = [...places].some(([id, to]) => {
      const from = this.origins.get(id);
      return from !== undefined && (from.x !== to.x || from.y !== to.y);
    });
    this.targets = new Map(places);
    this.boxes.clear();
    for (const [id, to] of places) this.boxes.set(id, { ...to });
    this.moveFrom = moves && !this.still.matches ? performance.now() : 0;
    if (this.moveFrom) this.step(this.moveFrom);
    this.mark('lines');
  }

  look(looks: Looks): void {
    this.looks = looks;
    this.mark('strokes');
  }

  /** Called by each card with its element, and with null when it goes. */
  mount(id: string, element: HTMLElement | null): void {
    if (!element) {
      this.elements.delete(id);
      return;
    }
    this.elements.set(id, element);
    this.put(id, element);
  }

  element(id: string): HTMLElement | undefined {
    return this.elements.get(id);
  }

  box(id: string): Rect | undefined {
    return this.targets.get(id);
  }

  all(): ReadonlyMap<string, Rect> {
    return this.targets;
  }

  lookAt(camera: Camera, how: 'at once' | 'gliding'): void {
    this.showsAll = false;
    if (how === 'at once' || this.still.matches) {
      this.cameraGoal = null;
      this.camera = camera;
      this.mark('camera');
      return;
    }
    this.cameraGoal = { from: this.camera, to: camera, start: performance.now() };
    this.ask();
  }

  get view(): Camera {
    return this.cameraGoal?.to ?? this.camera;
  }

  get stage(): Size {
    return this.size;
  }

  fitAll(how: 'at once' | 'gliding'): void {
    if (this.dirty.lines) this.relay();
    this.lookAt(fit(this.extent(), this.size), how);
    this.showsAll = true;
  }

  /** Takes in what has come into being outside of the view, unless somebody looks at a part of their own choice. */
  keepAll(): void {
    const all = this.extent();
    if (!this.showsAll || !all) return;
    const view = inView(this.view, this.size, 0);
    if (all.left < view.left || all.right > view.right || all.top < view.top || all.bottom > view.bottom) this.fitAll('gliding');
  }

  reveal(id: string): void {
    const box = this.targets.get(id);
    if (!box) return;
    const to = reveal(this.view, box, this.size);
    if (to !== this.view) this.lookAt(to, 'gliding');
  }

  /** The line at a point of the stage, if one is near. What is lit is preferred. */
  lineAt(x: number, y: number): Line | null {
    const { k, left, top } = this.camera;
    const [wx, wy] = [(x - left) / k, (y - top) / k];
    const limit = HIT_PX / k;
    let best: Line | null = null;
    let least = limit;
    for (const line of this.lines) {
      if (this.looks.emphasisOf(line.link) === 'dim') continue;
      const distance = distanceTo(line.curve, wx, wy, limit);
      if (distance < least) [best, least] = [line, distance];
    }
    return best;
  }

  /** Colours changed. */
  recolour(): void {
    this.painter.recolour();
  }

  stop(): void {
    cancelAnimationFrame(this.frameAsked);
    clearTimeout(this.sharpen);
    this.flow.stop();
    this.painter.stop();
  }

  private extent(): Extent | null {
    if (this.targets.size === 0) return null;
    const all: Extent = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    for (const it of this.targets.values()) {
      all.left = Math.min(all.left, it.x - it.width / 2);
      all.right = Math.max(all.right, it.x + it.width / 2);
      all.top = Math.min(all.top, it.y - it.height / 2);
      all.bottom = Math.max(all.bottom, it.y + it.height / 2);
    }
    // Calls within the last column bow out of it.
    const bows = this.lines.some(({ curve }) => Math.max(curve[2], curve[4]) > all.right);
    return bows ? { ...all, right: all.right + BOW_PX } : all;
  }

  private mark(what: keyof Scene['dirty']): void {
    this.dirty[what] = true;
    this.ask();
  }

  private ask(): void {
    if (this.frameAsked === 0) this.frameAsked = requestAnimationFrame(this.frame);
  }

  private readonly frame = (now: number): void => {
    this.frameAsked = 0;
    if (this.moveFrom) this.step(now);
    if (this.cameraGoal) this.glide(now);
    if (this.dirty.lines) this.relay();
    if (this.dirty.lines || this.dirty.strokes) this.restroke();
    if (this.dirty.camera) this.moveWorld();
    if (this.dirty.camera || this.dirty.lines) this.recount();
    this.dirty = { camera: false, lines: false, strokes: false };
    if (this.waiting) this.mark('camera');
    if (this.moveFrom) this.mark('lines');
    if (this.cameraGoal) this.ask();
  };

  private step(now: number): void {
    const t = ease(Math.max(0, Math.min(1, (now - this.moveFrom) / MOVE_MS)));
    for (const [id, from] of this.origins) {
      const to = this.targets.get(id);
      const box = this.boxes.get(id);
      if (!to || !box) continue;
      box.x = from.x + (to.x - from.x) * t;
      box.y = from.y + (to.y - from.y) * t;
    }
    if (t >= 1) this.moveFrom = 0;
  }

  private glide(now: number): void {
    const goal = this.cameraGoal;
    if (!goal) return;
    const t = ease(Math.max(0, Math.min(1, (now - goal.start) / MOVE_MS)));
    const mix = (a: number, b: number) => a + (b - a) * t;
    this.camera = { left: mix(goal.from.left, goal.to.left), top: mix(goal.from.top, goal.to.top), k: mix(goal.from.k, goal.to.k) };
    this.dirty.camera = true;
    if (t >= 1) this.cameraGoal = null;
  }

  private relay(): void {
    this.lines = [];
    for (const link of this.links) {
      const from = this.boxes.get(link.from);
      const to = this.boxes.get(link.to);
      if (from && to) this.lines.push({ link, curve: curveBetween(from, to), load: null });
    }
    for (const [id, element] of this.elements) this.put(id, element);
  }

  private restroke(): void {
    for (const line of this.lines) line.load = this.looks.loadOf(line.link);
    this.painter.draw(pictureOf(this.lines, this.solid(), this.looks.emphasisOf));
    const shown = this.lines.filter((it) => this.looks.emphasisOf(it.link) !== 'dim');
    this.flow.show(this.looks.moving && !this.still.matches ? dotsOf(shown) : []);
  }

  private put(id: string, element: HTMLElement): void {
    const box = this.boxes.get(id);
    if (box) element.style.transform = `translate(${box.x - box.width / 2}px, ${box.y - box.height / 2}px)`;
  }

  private moveWorld(): void {
    const { left, top, k } = this.camera;
    this.parts.world.style.willChange = 'transform';
    this.parts.world.style.transform = `translate(${left}px, ${top}px) scale(${k})`;
    // Text is drawn anew, sharp, once the movement has ended.
    clearTimeout(this.sharpen);
    this.sharpen = setTimeout(() => (this.parts.world.style.willChange = ''), 180);
    const detail = detailOf(k);
    if (detail !== this.detail.peek()) this.detail.value = detail;
    this.painter.look({ camera: this.camera, stage: this.size, ratio: this.ratio });
    this.flow.clear();
  }

  /** Boxes of what is a card: frames of open groups let labels through. */
  private solid(): Rect[] {
    return [...this.boxes].filter(([id]) => !this.frames.has(id)).map(([, it]) => it);
  }

  private recount(): void {
    const view = inView(this.camera, this.size, MARGIN_PX);
    const before = this.visible.peek();
    const now = new Set<string>();
    let room = MOUNT_MAX;
    this.waiting = false;
    for (const [id, it] of this.targets) {
      const outside = it.x + it.width / 2 < view.left || it.x - it.width / 2 > view.right || it.y + it.height / 2 < view.top || it.y - it.height / 2 > view.bottom;
      if (outside) continue;
      if (before.has(id) || room-- > 0) now.add(id);
      else this.waiting = true;
    }
    if (now.size !== before.size || [...now].some((id) => !before.has(id))) this.visible.value = now;
  }
}
