import { hasInk, lookOf } from '../../../domain/board/colours.js';

/** Strength of a pattern's ink, of its gaps and of outlines, 0..255. */
const INK = 190;
const GAP = 90;
const OUTLINE = 255;
/** Patterns repeat so often over the long side. */
const REPEATS = 110;

/** A part of the picture in pixels, ends exclusive. */
export interface Rect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** Pixels of a label as a picture that lies over the photo. */
export class Overlay {
  readonly canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #period: number;
  #isolated: number | null = null;

  /** @param shows null shows every part; otherwise only pixels for which it is true */
  constructor(
    readonly pixels: Uint8Array,
    readonly width: number,
    readonly height: number,
    private readonly shows: ((pixel: number) => boolean) | null = null,
  ) {
    this.canvas = new OffscreenCanvas(width, height);
    const context = this.canvas.getContext('2d');
    if (context === null) throw new Error('this browser draws no pictures');
    this.#context = context;
    this.#period = Math.max(4, 2 * Math.round(Math.max(width, height) / REPEATS / 2));
    this.update();
  }

  /** Show one class alone, or all again. */
  isolate(value: number | null): void {
    if (value === this.#isolated) return;
    this.#isolated = value;
    this.update();
  }

  /** Draw a part anew, after its pixels changed. */
  update(part: Rect = { x0: 0, y0: 0, x1: this.width, y1: this.height }): void {
    // The outline of a pixel depends on its neighbours.
    const x0 = Math.max(0, part.x0 - 1);
    const y0 = Math.max(0, part.y0 - 1);
    const x1 = Math.min(this.width, part.x1 + 1);
    const y1 = Math.min(this.height, part.y1 + 1);
    if (x1 <= x0 || y1 <= y0) return;
    const image = new ImageData(x1 - x0, y1 - y0);
    const words = new Uint32Array(image.data.buffer);
    const looks = Array.from({ length: 256 }, (_, value) => lookOf(value));
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        const pixel = y * this.width + x;
        const value = this.pixels[pixel] as number;
        if (!this.#isShown(pixel, value)) continue;
        const look = looks[value] as (typeof looks)[number];
        const ink = hasInk(look.pattern, x, y, this.#period) ? INK : GAP;
        const alpha = this.#isEdge(pixel, x, y) ? OUTLINE : ink;
        const [red, green, blue] = value === 0 ? ([255, 255, 255] as const) : look.colour;
        words[(y - y0) * image.width + (x - x0)] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
      }
    }
    this.#context.putImageData(image, x0, y0);
  }

  #isShown(pixel: number, value: number): boolean {
    if (this.shows !== null) return this.shows(pixel);
    return value !== 0 && (this.#isolated === null || value === this.#isolated);
  }

  #isEdge(pixel: number, x: number, y: number): boolean {
    const value = this.pixels[pixel];
    return (
      (x + 1 < this.width && this.pixels[pixel + 1] !== value) ||
      (y + 1 < this.height && this.pixels[pixel + this.width] !== value) ||
      (x > 0 && this.pixels[pixel - 1] !== value) ||
      (y > 0 && this.pixels[pixel - this.width] !== value)
    );
  }
}
