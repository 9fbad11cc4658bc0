// Pan and zoom by mouse, wheel, touch (one finger pans, two zoom) and keys. The stage tells what was pressed without moving.
import { zoomAt } from './camera';
import type { Scene } from './scene';

const CLICK_PX_MAX = 5;
const WHEEL_STEP = 0.0022;
const KEY_ZOOM = 1.25;

interface Heard {
  /** A press on the ground (not on a node) that did not move; stage pixels. */
  onGround: (x: number, y: number) => void;
  /** The pointer is over the ground here; null: over a node, or outside. */
  onHover: (at: { x: number; y: number } | null) => void;
}

/** @returns a function that stops listening. */
export function listenGestures(stage: HTMLElement, scene: Scene, heard: Heard): () => void {
  const fingers = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const at = (event: { clientX: number; clientY: number }) => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const onGround = (event: Event) => !(event.target as Element).closest('.mp-node, .mp-box-head, button, a');

  const down = (event: PointerEvent) => {
    if (event.button > 1 || (!onGround(event) && event.pointerType === 'mouse')) return;
    fingers.set(event.pointerId, at(event));
    moved = 0;
  };
  const move = (event: PointerEvent) => {
    // Released where nobody told us: outside of the stage, or of the window.
    if (event.buttons === 0) cancel(event);
    const before = fingers.get(event.pointerId);
    const now = at(event);
    if (!before) {
      heard.onHover(onGround(event) && event.pointerType === 'mouse' ? now : null);
      return;
    }
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (moved > CLICK_PX_MAX && !stage.hasPointerCapture(event.pointerId)) stage.setPointerCapture(event.pointerId);
    if (fingers.size === 1) pan(scene, now.x - before.x, now.y - before.y);
    else pinch(scene, fingers, event.pointerId, before, now);
    fingers.set(event.pointerId, now);
    stage.classList.toggle('dragged', moved > CLICK_PX_MAX);
  };
  const up = (event: PointerEvent) => {
    const had = fingers.delete(event.pointerId);
    stage.classList.remove('dragged');
    const { x, y } = at(event);
    if (had && fingers.size === 0 && moved <= CLICK_PX_MAX && onGround(event)) heard.onGround(x, y);
  };
  const cancel = (event: PointerEvent) => {
    fingers.delete(event.pointerId);
    stage.classList.remove('dragged');
  };
  const leave = () => heard.onHover(null);
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const { x, y } = at(event);
    const lines = event.deltaMode === 1 ? 16 : 1;
    const sideways = event.shiftKey || (!event.ctrlKey && Math.abs(event.deltaX) > Math.abs(event.deltaY));
    if (sideways) pan(scene, -(event.deltaX || event.deltaY) * lines, 0);
    else scene.lookAt(zoomAt(scene.view, x, y, Math.exp(-event.deltaY * lines * WHEEL_STEP * (event.ctrlKey ? 3 : 1))), 'at once');
  };

  stage.addEventListener('pointerdown', down);
  stage.addEventListener('pointermove', move);
  stage.addEventListener('pointerup', up);
  stage.addEventListener('pointercancel', cancel);
  stage.addEventListener('pointerleave', leave);
  stage.addEventListener('wheel', wheel, { passive: false });
  return () => {
    stage.removeEventListener('pointerdown', down);
    stage.removeEventListener('pointermove', move);
    stage.removeEventListener('pointerup', up);
    stage.removeEventListener('pointercancel', cancel);
    stage.removeEventListener('pointerleave', leave);
    stage.removeEventListener('wheel', wheel);
  };
}

function pan(scene: Scene, dx: number, dy: number): void {
  const it = scene.view;
  scene.lookAt({ ...it, left: it.left + dx, top: it.top + dy }, 'at once');
}

type Point = { x: number; y: number };

function pinch(scene: Scene, fingers: Map<number, Point>, id: number, before: Point, now: Point): void {
  const other = [...fingers].find(([finger]) => finger !== id)?.[1];
  if (!other) return;
  const was = Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
  const is = Math.max(1, Math.hypot(now.x - other.x, now.y - other.y));
  pan(scene, (now.x - before.x) / 2, (now.y - before.y) / 2);
  scene.lookAt(zoomAt(scene.view, (now.x + other.x) / 2, (now.y + other.y) / 2, is / was), 'at once');
}

/** Zooms by a step around the middle: keys and buttons. */
export function zoomStep(scene: Scene, direction: 1 | -1): void {
  const { width, height } = scene.stage;
  scene.lookAt(zoomAt(scene.view, width / 2, height / 2, direction > 0 ? KEY_ZOOM : 1 / KEY_ZOOM), 'gliding');
}
