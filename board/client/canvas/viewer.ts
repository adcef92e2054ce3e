import { select } from 'd3-selection';
import { type D3ZoomEvent, type ZoomTransform, zoom, zoomIdentity } from 'd3-zoom';
import type { Overlay, Rect } from './overlay.js';

const CLOSEST = 60;
const FARTHEST = 0.02;
/** A region is shown with so much around it, in its own sizes. */
const AROUND = 0.9;
/** No region is shown larger than if it were this share of the picture. */
const SMALLEST = 0.08;
const BOX_COLOURS = ['#000000', '#ffffff'] as const;

export interface Picture {
  bitmap: ImageBitmap;
  /** Size of its label, pixels: what positions are counted in. */
  width: number;
  height: number;
}

/** Position in the label, pixels. */
export interface Position {
  x: number;
  y: number;
}

/**
 * The picture with a label over it. Zooming and panning are d3-zoom's: it knows wheels, touch pads and fingers of all
 * browsers, and keeps the point under the pointer in place.
 */
export class Viewer {
  readonly #context: CanvasRenderingContext2D;
  #picture: Picture | null = null;
  #overlay: Overlay | null = null;
  #box: Rect | null = null;
  #cursor: { at: Position; radius: number } | null = null;
  #path: readonly Position[] = [];
  #transform: ZoomTransform = zoomIdentity;
  #opacity = 0.75;
  #isWaiting = false;
  /** True if dragging with the main button draws, so that panning needs another one. */
  isDrawing = false;
  readonly #zoom = zoom<HTMLCanvasElement, unknown>().scaleExtent([FARTHEST, CLOSEST]);

  constructor(readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this browser draws no pictures');
    this.#context = context;
    this.#zoom
      .filter((event: MouseEvent) => event.type === 'wheel' || !this.isDrawing || event.button === 1 || event.altKey)
      .on('zoom', ({ transform }: D3ZoomEvent<HTMLCanvasElement, unknown>) => {
        this.#transform = transform;
        this.redraw();
      });
    select(canvas).call(this.#zoom).on('dblclick.zoom', null);
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  get opacity(): number {
    return this.#opacity;
  }

  set opacity(value: number) {
    this.#opacity = Math.min(1, Math.max(0.1, value));
    this.redraw();
  }

  show(picture: Picture | null): void {
    this.#picture = picture;
    this.redraw();
  }

  lay(overlay: Overlay | null): void {
    this.#overlay = overlay;
    this.redraw();
  }

  /** Frame a region; null takes the frame away. */
  frame(box: Rect | null): void {
    this.#box = box;
    this.redraw();
  }

  /** Show where a brush would draw. */
  point(cursor: { at: Position; radius: number } | null): void {
    this.#cursor = cursor;
    this.redraw();
  }

  /** Show a line that is being drawn. */
  trace(path: readonly Position[]): void {
    this.#path = path;
    this.redraw();
  }

  /** Zoom so that a region fills the stage, with some of its surroundings; the whole picture without one. */
  fit(box: Rect | null): void {
    const picture = this.#picture;
    if (picture === null) return;
    const { clientWidth, clientHeight } = this.canvas;
    const region = box ?? { x0: 0, y0: 0, x1: picture.width, y1: picture.height };
    const widen = box === null ? 1.02 : 1 + 2 * AROUND;
    const width = Math.max((region.x1 - region.x0) * widen, box === null ? 0 : SMALLEST * picture.width);
    const height = Math.max((region.y1 - region.y0) * widen, box === null ? 0 : SMALLEST * picture.height);
    const whole = Math.min(clientWidth / picture.width, clientHeight / picture.height);
    const scale = Math.max(whole, Math.min(clientWidth / width, clientHeight / height));
    const centre = { x: (region.x0 + region.x1) / 2, y: (region.y0 + region.y1) / 2 };
    const transform = zoomIdentity
      .translate(clientWidth / 2, clientHeight / 2)
      .scale(scale)
      .translate(-centre.x, -centre.y);
    this.#zoom.transform(select(this.canvas), transform);
  }

  /** The label's position under a point of the window. */
  positionAt(clientX: number, clientY: number): Position {
    const { left, top } = this.canvas.getBoundingClientRect();
    const [x, y] = this.#transform.invert([clientX - left, clientY - top]);
    return { x, y };
  }

  /** The position in the middle of the stage. */
  get centre(): Position {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return this.positionAt(left + width / 2, top + height / 2);
  }

  /** Pixels of the label per pixel of the screen. */
  get pixelSize(): number {
    return 1 / this.#transform.k;
  }

  redraw(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    requestAnimationFrame(() => {
      this.#isWaiting = false;
      this.#draw();
    });
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.#draw();
  }

  #draw(): void {
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.#picture === null) return;
    const { bitmap, width, height } = this.#picture;
    const { x, y, k } = this.#transform;
    context.setTransform(k * devicePixelRatio, 0, 0, k * devicePixelRatio, x * devicePixelRatio, y * devicePixelRatio);
    context.imageSmoothingEnabled = true;
    context.drawImage(bitmap, 0, 0, width, height);
    if (this.#overlay !== null) {
      // Pixels of a label are no photo: they keep their edges.
      context.imageSmoothingEnabled = k < 1;
      context.globalAlpha = this.#opacity;
      context.drawImage(this.#overlay.canvas, 0, 0, width, height);
      context.globalAlpha = 1;
    }
    this.#drawBox(k);
    this.#drawPath(k);
    this.#drawCursor(k);
  }

  #drawBox(scale: number): void {
    if (this.#box === null) return;
    const { x0, y0, x1, y1 } = this.#box;
    const line = 2 / scale;
    const context = this.#context;
    for (const [index, colour] of BOX_COLOURS.entries()) {
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.setLineDash([6 * line, 6 * line]);
      context.lineDashOffset = index * 6 * line;
      context.strokeRect(x0 - 2 * line, y0 - 2 * line, x1 - x0 + 4 * line, y1 - y0 + 4 * line);
    }
    context.setLineDash([]);
  }

  #drawPath(scale: number): void {
    const [first, ...others] = this.#path;
    if (first === undefined) return;
    const context = this.#context;
    context.beginPath();
    context.moveTo(first.x, first.y);
    for (const { x, y } of others) context.lineTo(x, y);
    this.#strokeTwice(scale);
  }

  #drawCursor(scale: number): void {
    if (this.#cursor === null) return;
    const { at, radius } = this.#cursor;
    this.#context.beginPath();
    this.#context.arc(at.x, at.y, Math.max(0.5, radius), 0, 2 * Math.PI);
    this.#strokeTwice(scale);
  }

  /** Dark below light, so that the line shows on any picture. */
  #strokeTwice(scale: number): void {
    for (const [colour, width] of [
      ['#000000', 3],
      ['#ffffff', 1.5],
    ] as const) {
      this.#context.strokeStyle = colour;
      this.#context.lineWidth = width / scale;
      this.#context.stroke();
    }
  }
}
