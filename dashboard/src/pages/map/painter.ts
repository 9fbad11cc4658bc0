// The page's end of painting: sends pictures and views to the worker, one at a time, the newest wins; shows what comes back, and
// until then moves what is shown as far as the camera has moved. The page itself never paints a call.
import { colour } from '@/ui/theme';
import type { Camera } from './camera';
import type { Answered, Asked } from './layout-worker';
import { LOOK_TOKENS, type Picture } from './looks';
import type { View } from './paint';

const TOKENS = [...Object.values(LOOK_TOKENS), '--accent', '--bg', '--dim'];

export class Painter {
  private readonly worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module', name: 'paint' });
  private readonly shown: ImageBitmapRenderingContext;
  private painted: View | null = null;
  private wanted: View | null = null;
  private waits = false;
  private again = false;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.shown = canvas.getContext('bitmaprenderer')!;
    this.worker.addEventListener('message', (event: MessageEvent<Answered>) => this.hear(event.data));
    this.worker.addEventListener('error', (event) => reportError(event.error ?? new Error('The calls could not be painted')));
  }

  recolour(): void {
    const colours = Object.fromEntries(TOKENS.map((it) => [it, colour(it)]));
    this.tell({ kind: 'palette', palette: { colours, font: getComputedStyle(document.body).fontFamily } });
    this.repaint();
  }

  draw(picture: Picture): void {
    this.tell({ kind: 'picture', picture }, picture.curves.map((it) => it.buffer));
    this.repaint();
  }

  look(view: View): void {
    this.wanted = view;
    this.follow(view.camera);
    this.repaint();
  }

  stop(): void {
    this.worker.terminate();
  }

  private repaint(): void {
    if (!this.wanted) return;
    if (this.waits) {
      this.again = true;
      return;
    }
    this.waits = true;
    this.tell({ kind: 'view', view: this.wanted });
  }

  private hear(it: Answered): void {
    if (it.kind !== 'painted') return;
    this.waits = false;
    this.painted = it.view;
    this.shown.transferFromImageBitmap(it.bitmap);
    const { width, height } = it.view.stage;
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    this.follow(this.wanted?.camera ?? it.view.camera);
    if (!this.again) return;
    this.again = false;
    this.repaint();
  }

  /** What is painted belongs to the camera of then: it is moved to where it belongs now. */
  private follow(now: Camera): void {
    const then = this.painted?.camera;
    if (!then) return;
    const scale = now.k / then.k;
    const same = scale === 1 && now.left === then.left && now.top === then.top;
    this.canvas.style.transform = same ? '' : `translate(${now.left - then.left * scale}px, ${now.top - then.top * scale}px) scale(${scale})`;
  }

  private tell(asked: Asked, moved: Transferable[] = []): void {
    this.worker.postMessage(asked, moved);
  }
}
