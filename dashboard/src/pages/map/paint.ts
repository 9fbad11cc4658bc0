// Paints calls on a canvas, in the worker. Lines that look the same are one path and one stroke: three thousand calls are some
// thirty strokes.
import type { Camera, Size } from './camera';
import { pointAt, type Curve } from './curve';
import type { Dash, Look, Picture } from './looks';

export interface View {
  camera: Camera;
  stage: Size;
  /** Device pixels of a pixel. */
  ratio: number;
}

/** Colours of the theme by name, and the font of labels. */
export interface Palette {
  colours: Record<string, string>;
  font: string;
}

interface Stroke {
  look: Look;
  path: Path2D;
  heads: Path2D;
}

export interface Prepared {
  strokes: Stroke[];
  picture: Picture;
}

const HEAD = 6;
const HEADS_K_MIN = 0.3;
const LABELS_K_MIN = 0.5;

export function prepare(picture: Picture): Prepared {
  const strokes = picture.looks.map<Stroke>((look, at) => {
    const stroke = { look, path: new Path2D(), heads: new Path2D() };
    const curves = picture.curves[at] ?? new Float32Array();
    for (let from = 0; from + 8 <= curves.length; from += 8) trace(stroke, curves.subarray(from, from + 8) as unknown as Curve);
    return stroke;
  });
  return { strokes, picture };
}

function trace(stroke: Stroke, curve: Curve): void {
  const [x0, y0, x1, y1, x2, y2, x3, y3] = curve;
  stroke.path.moveTo(x0, y0);
  stroke.path.bezierCurveTo(x1, y1, x2, y2, x3, y3);
  const [bx, by] = pointAt(curve, 0.94);
  const angle = Math.atan2(y3 - by, x3 - bx);
  const size = HEAD + stroke.look.width;
  stroke.heads.moveTo(x3, y3);
  stroke.heads.lineTo(x3 - size * Math.cos(angle - 0.42), y3 - size * Math.sin(angle - 0.42));
  stroke.heads.lineTo(x3 - size * Math.cos(angle + 0.42), y3 - size * Math.sin(angle + 0.42));
  stroke.heads.closePath();
}

const DASHES: Record<Dash, number[]> = { none: [], long: [5, 5], dots: [1.5, 3] };

type Canvas = OffscreenCanvasRenderingContext2D;

export function paint(canvas: Canvas, { strokes, picture }: Prepared, view: View, palette: Palette): void {
  const { camera, ratio } = view;
  canvas.setTransform(1, 0, 0, 1, 0, 0);
  canvas.clearRect(0, 0, canvas.canvas.width, canvas.canvas.height);
  canvas.setTransform(camera.k * ratio, 0, 0, camera.k * ratio, camera.left * ratio, camera.top * ratio);
  for (const { look, path, heads } of strokes) {
    canvas.globalAlpha = look.alpha;
    canvas.strokeStyle = palette.colours[look.token] ?? 'gray';
    canvas.fillStyle = canvas.strokeStyle;
    canvas.lineWidth = Math.max(look.width, 0.8 / camera.k);
    canvas.setLineDash(DASHES[look.dash]);
    canvas.stroke(path);
    if (camera.k > HEADS_K_MIN) canvas.fill(heads);
  }
  canvas.setLineDash([]);
  canvas.globalAlpha = 1;
  if (camera.k > LABELS_K_MIN) paintLabels(canvas, picture, view, palette);
}

const LABEL_AT = [0.5, 0.36, 0.64, 0.24, 0.76];
const LABEL_HEIGHT = 18;

interface Room {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** In stage pixels, so that they stay readable; none over another or over a node: what finds no room along its line is left out. */
function paintLabels(canvas: Canvas, { labels, solid }: Picture, { camera, ratio }: View, { colours, font }: Palette): void {
  if (labels.length === 0) return;
  canvas.setTransform(ratio, 0, 0, ratio, 0, 0);
  canvas.font = `500 11px ${font}`;
  canvas.textAlign = 'center';
  canvas.textBaseline = 'middle';
  const taken = rooms(solid, camera);
  for (const { curve, text, bad } of labels) {
    const room = freeRoom(curve, canvas.measureText(text).width + 12, camera, taken);
    if (!room) continue;
    taken.push(room);
    canvas.fillStyle = colours['--bg'] ?? 'white';
    canvas.beginPath();
    canvas.roundRect(room.left, room.top, room.width, LABEL_HEIGHT, LABEL_HEIGHT / 2);
    canvas.fill();
    canvas.fillStyle = colours[bad ? '--bad' : '--dim'] ?? 'gray';
    canvas.fillText(text, room.left + room.width / 2, room.top + LABEL_HEIGHT / 2 + 0.5);
  }
}

function rooms(solid: Float32Array, { k, left, top }: Camera): Room[] {
  const found: Room[] = [];
  for (let at = 0; at + 4 <= solid.length; at += 4) {
    const [x = 0, y = 0, width = 0, height = 0] = solid.subarray(at, at + 4);
    found.push({ left: (x - width / 2) * k + left, top: (y - height / 2) * k + top, width: width * k, height: height * k });
  }
  return found;
}

function freeRoom(curve: Curve, width: number, camera: Camera, taken: readonly Room[]): Room | null {
  for (const at of LABEL_AT) {
    const [x, y] = pointAt(curve, at);
    const room = { left: x * camera.k + camera.left - width / 2, top: y * camera.k + camera.top - LABEL_HEIGHT / 2, width, height: LABEL_HEIGHT };
    const over = (it: Room) => it.left < room.left + width && room.left < it.left + it.width && it.top < room.top + LABEL_HEIGHT && room.top < it.top + it.height;
    if (!taken.some(over)) return room;
  }
  return null;
}
