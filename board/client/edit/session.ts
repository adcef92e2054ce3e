import { Overlay, type Rect } from '../canvas/overlay.js';
import type { Position, Viewer } from '../canvas/viewer.js';
import type { Loaded } from '../page/deck.js';
import { Drawing } from './drawing.js';

export type Tool = 'brush' | 'erase' | 'lasso';

const BACKGROUND = 0;
const WHOLE = { x0: 0, y0: 0, x1: 1, y1: 1 };
const MAX_RADIUS = 400;
const SIZE_STEP = 1.3;
const ARROWS: Readonly<Record<string, Position>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Drawing on one label, by mouse or by keys: arrows move the brush, the space bar draws. */
export class DrawingSession {
  readonly drawing: Drawing;
  readonly #overlay: Overlay;
  readonly #ending = new AbortController();
  #tool: Tool = 'brush';
  #at: Position;
  #radius: number;
  #path: Position[] = [];
  #isDown = false;
  /** The space bar draws while it is held. */
  #isHeld = false;

  constructor(
    private readonly loaded: Loaded,
    private readonly viewer: Viewer,
    private value: number,
    private readonly onChange: () => void,
  ) {
    const { width, height, box } = loaded.item;
    this.drawing = new Drawing(loaded.given.pixels, width, height);
    this.#overlay = new Overlay(this.drawing.pixels, width, height);
    const { x0, y0, x1, y1 } = box ?? WHOLE;
    this.#at = { x: ((x0 + x1) / 2) * width, y: ((y0 + y1) / 2) * height };
    this.#radius = Math.max(1, Math.round(6 * viewer.pixelSize));
    viewer.isDrawing = true;
    viewer.lay(this.#overlay);
    this.#listen(viewer.canvas);
    this.#showCursor();
  }

  end(): void {
    this.#ending.abort();
    this.viewer.isDrawing = false;
    this.viewer.point(null);
    this.viewer.trace([]);
  }

  get tool(): Tool {
    return this.#tool;
  }

  set tool(tool: Tool) {
    this.#tool = tool;
    this.#path = [];
    this.viewer.trace([]);
    this.#showCursor();
    this.onChange();
  }

  get classValue(): number {
    return this.value;
  }

  set classValue(value: number) {
    this.value = value;
    if (this.#tool === 'erase') this.#tool = 'brush';
    this.onChange();
  }

  resize(larger: boolean): void {
    const next = larger ? Math.max(this.#radius + 1, this.#radius * SIZE_STEP) : this.#radius / SIZE_STEP;
    this.#radius = Math.min(MAX_RADIUS, Math.max(1, Math.round(next)));
    this.#showCursor();
  }

  undo(): void {
    this.drawing.undo();
    this.#redrawAll();
  }

  redo(): void {
    this.drawing.redo();
    this.#redrawAll();
  }

  /** Take the region that is proposed. */
  takeRegion(): void {
    if (this.loaded.proposed !== null) this.drawing.take(this.loaded.proposed.pixels, this.loaded.given.pixels);
    this.#redrawAll();
  }

  /** Take the connected piece under the pointer away. */
  takeAway(): void {
    this.drawing.component(this.#at, BACKGROUND);
    this.#redrawAll();
  }

  /** Keys that only mean something here; true if it was one. */
  keyDown(event: KeyboardEvent): boolean {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined) {
      const step = event.shiftKey ? 1 : Math.max(1, this.#radius);
      this.#moveTo({ x: this.#at.x + step * arrow.x, y: this.#at.y + step * arrow.y }, this.#isHeld);
      return true;
    }
    if (event.key === ' ' && this.#tool !== 'lasso') {
      if (event.repeat) return true;
      this.#isHeld = true;
      this.drawing.begin();
      this.#stroke(this.#at, this.#at);
      return true;
    }
    return false;
  }

  keyUp(event: KeyboardEvent): void {
    if (event.key !== ' ' || !this.#isHeld) return;
    this.#isHeld = false;
    this.drawing.end();
    this.onChange();
  }

  #listen(canvas: HTMLCanvasElement): void {
    const options = { signal: this.#ending.signal };
    canvas.addEventListener('pointerdown', (event) => this.#pointerDown(event), options);
    canvas.addEventListener('pointermove', (event) => this.#pointerMove(event), options);
    for (const end of ['pointerup', 'pointercancel'] as const)
      canvas.addEventListener(end, () => this.#pointerUp(), options);
  }

  #pointerDown(event: PointerEvent): void {
    if (event.button !== 0 || event.altKey) return;
    event.preventDefault();
    this.viewer.canvas.setPointerCapture(event.pointerId);
    this.#isDown = true;
    this.#at = this.viewer.positionAt(event.clientX, event.clientY);
    if (this.#tool === 'lasso') this.#path = [this.#at];
    else {
      this.drawing.begin();
      this.#stroke(this.#at, this.#at);
    }
  }

  #pointerMove(event: PointerEvent): void {
    this.#moveTo(this.viewer.positionAt(event.clientX, event.clientY), this.#isDown);
  }

  #pointerUp(): void {
    if (!this.#isDown) return;
    this.#isDown = false;
    if (this.#tool === 'lasso') {
      this.drawing.polygon(this.#path, this.value);
      this.#path = [];
      this.viewer.trace([]);
      this.#redrawAll();
    } else this.drawing.end();
    this.onChange();
  }

  #moveTo(at: Position, draws: boolean): void {
    const from = this.#at;
    this.#at = at;
    if (draws && this.#tool === 'lasso') {
      this.#path.push(at);
      this.viewer.trace(this.#path);
    } else if (draws) this.#stroke(from, at);
    this.#showCursor();
  }

  #stroke(from: Position, to: Position): void {
    const value = this.#tool === 'erase' ? BACKGROUND : this.value;
    this.#redraw(this.drawing.brush(from, to, this.#radius, value));
  }

  #showCursor(): void {
    this.viewer.point({ at: this.#at, radius: this.#tool === 'lasso' ? 1 : this.#radius });
  }

  #redraw(part: Rect): void {
    this.#overlay.update(part);
    this.viewer.redraw();
  }

  #redrawAll(): void {
    this.#overlay.update();
    this.viewer.redraw();
    this.onChange();
  }
}
