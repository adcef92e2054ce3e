import { componentIds } from '../../../domain/geometry/components.js';
import { polygonRuns } from '../../../domain/geometry/polygon.js';
import type { Rect } from '../canvas/overlay.js';
import type { Position } from '../canvas/viewer.js';

/** Pixels that one action changed, with their values before and after. */
interface Change {
  pixels: Uint32Array;
  before: Uint8Array;
  after: Uint8Array;
}

const NOTHING_SKIPPED = new Uint8Array(256);

/**
 * A label that is being drawn on, pixel by pixel, with its history. Changes are kept as the pixels that they touched: a
 * copy of a label of 12 megapixels per stroke would fill the memory, and libraries for histories copy or diff objects.
 */
export class Drawing {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly #done: Change[] = [];
  readonly #undone: Change[] = [];
  /** The change under way: value before, by pixel. */
  #stroke: Map<number, number> | null = null;

  constructor(
    readonly original: Uint8Array,
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = Uint8Array.from(original);
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  get isChanged(): boolean {
    return this.pixels.some((value, pixel) => value !== this.original[pixel]);
  }

  begin(): void {
    this.#stroke ??= new Map();
  }

  /** End the change under way; it can be undone as a whole. */
  end(): void {
    const stroke = this.#stroke;
    this.#stroke = null;
    if (stroke === null || stroke.size === 0) return;
    const pixels = Uint32Array.from(stroke.keys());
    const before = Uint8Array.from(stroke.values());
    const after = Uint8Array.from(pixels, (pixel) => this.pixels[pixel] as number);
    this.#done.push({ pixels, before, after });
    this.#undone.length = 0;
  }

  /** Draw a disk along a line; the part of the label that may have changed. */
  brush(from: Position, to: Position, radius: number, value: number): Rect {
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / Math.max(0.5, radius / 2)));
    for (let step = 0; step <= steps; step++) {
      const share = step / steps;
      this.#disk({ x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) }, radius, value);
    }
    return {
      x0: Math.floor(Math.min(from.x, to.x) - radius),
      y0: Math.floor(Math.min(from.y, to.y) - radius),
      x1: Math.ceil(Math.max(from.x, to.x) + radius) + 1,
      y1: Math.ceil(Math.max(from.y, to.y) + radius) + 1,
    };
  }

  #disk({ x, y }: Position, radius: number, value: number): void {
    const reach = Math.max(radius, 0.5);
    for (let row = Math.floor(y - reach); row <= y + reach; row++) {
      if (row < 0 || row >= this.height) continue;
      for (let column = Math.floor(x - reach); column <= x + reach; column++) {
        if (column < 0 || column >= this.width) continue;
        const isInside = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= reach;
        if (isInside) this.#set(row * this.width + column, value);
      }
    }
  }

  /** Fill a polygon, by the rule of every import: a pixel belongs to it if its centre does. */
  polygon(ring: readonly Position[], value: number): void {
    const runs = polygonRuns(
      ring.flatMap(({ x, y }) => [x, y]),
      this.width,
      this.height,
    );
    this.begin();
    for (let run = 0; run < runs.length; run += 2)
      for (let pixel = runs[run] as number; pixel < (runs[run + 1] as number); pixel++) this.#set(pixel, value);
    this.end();
  }

  /** Take the pixels that differ in another label from it. */
  take(other: Uint8Array, base: Uint8Array): void {
    this.begin();
    for (let pixel = 0; pixel < other.length; pixel++)
      if (other[pixel] !== base[pixel]) this.#set(pixel, other[pixel] as number);
    this.end();
  }

  /** Give the connected pixels of one value around a position another value. */
  component({ x, y }: Position, value: number): void {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return;
    const { ids } = componentIds(this.pixels, this.width, this.height, NOTHING_SKIPPED);
    const id = ids[row * this.width + column];
    this.begin();
    for (let pixel = 0; pixel < ids.length; pixel++) if (ids[pixel] === id) this.#set(pixel, value);
    this.end();
  }

  undo(): void {
    this.end();
    const change = this.#done.pop();
    if (change === undefined) return;
    change.pixels.forEach((pixel, index) => {
      this.pixels[pixel] = change.before[index] as number;
    });
    this.#undone.push(change);
  }

  redo(): void {
    const change = this.#undone.pop();
    if (change === undefined) return;
    change.pixels.forEach((pixel, index) => {
      this.pixels[pixel] = change.after[index] as number;
    });
    this.#done.push(change);
  }

  #set(pixel: number, value: number): void {
    const before = this.pixels[pixel] as number;
    if (before === value) return;
    if (this.#stroke?.has(pixel) === false) this.#stroke.set(pixel, before);
    this.pixels[pixel] = value;
  }
}
