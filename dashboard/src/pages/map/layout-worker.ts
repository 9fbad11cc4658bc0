// The worker of the map: arranges nodes and paints calls, so that neither ever holds up the page. The page starts it twice, once
// for each, so that an arrangement does not delay a picture.
import { arrange, type Spots, type Task } from './arrange';
import type { Picture } from './looks';
import { paint, prepare, type Palette, type Prepared, type View } from './paint';

export type Asked =
  | { kind: 'arrange'; number: number; task: Task }
  | { kind: 'picture'; picture: Picture }
  | { kind: 'palette'; palette: Palette }
  /** Answered with `painted`. */
  | { kind: 'view'; view: View };

export type Answered = { kind: 'arranged'; number: number; spots: Spots } | { kind: 'painted'; view: View; bitmap: ImageBitmap };

let canvas: OffscreenCanvas | null = null;
let prepared: Prepared | null = null;
let palette: Palette = { colours: {}, font: 'sans-serif' };

self.addEventListener('message', (event: MessageEvent<Asked>) => {
  const asked = event.data;
  if (asked.kind === 'arrange') answer({ kind: 'arranged', number: asked.number, spots: arrange(asked.task) });
  else if (asked.kind === 'picture') prepared = prepare(asked.picture);
  else if (asked.kind === 'palette') palette = asked.palette;
  else show(asked.view);
});

function show(view: View): void {
  const width = Math.max(1, Math.round(view.stage.width * view.ratio));
  const height = Math.max(1, Math.round(view.stage.height * view.ratio));
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const brush = canvas.getContext('2d');
  if (brush && prepared) paint(brush, prepared, view, palette);
  const bitmap = canvas.transferToImageBitmap();
  answer({ kind: 'painted', view, bitmap }, [bitmap]);
}

function answer(it: Answered, moved: Transferable[] = []): void {
  self.postMessage(it, { transfer: moved });
}
