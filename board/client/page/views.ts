import type { Box } from '../../../domain/board/protocol.js';
import { Overlay, type Rect } from '../canvas/overlay.js';
import type { Viewer } from '../canvas/viewer.js';
import type { Loaded } from './deck.js';

/** Given and proposed label alternate so often while the key is held. */
const BLINK_MS = 400;

export type View = 'given' | 'proposed' | 'difference' | 'hidden';

const WORDS: Readonly<Record<View, string>> = {
  given: 'Given label',
  proposed: 'Proposed label',
  difference: 'Difference',
  hidden: 'No label',
};

/**
 * The ways to see one item of a queue. Labels become pictures when they are first shown, or before, as soon as the page
 * has nothing else to do: then a key has only to draw.
 */
export class Views {
  readonly given: Overlay;
  #proposed: Overlay | null = null;
  #difference: Overlay | null = null;
  #view: View = 'given';
  #timer: ReturnType<typeof setInterval> | null = null;
  #isolated: number | null = null;
  #isOver = false;

  constructor(
    private readonly loaded: Loaded,
    private readonly viewer: Viewer,
    private readonly tell: (words: string) => void,
  ) {
    const { width, height } = loaded.item;
    this.given = new Overlay(loaded.given.pixels, width, height);
  }

  /** The place in question in pixels of the label; null for the whole picture. */
  get box(): Rect | null {
    const { box, width, height } = this.loaded.item;
    return rectOf(box, { width, height });
  }

  start(): void {
    const { item, picture } = this.loaded;
    this.viewer.show({ bitmap: picture, width: item.width, height: item.height });
    this.viewer.frame(this.box);
    this.viewer.fit(this.box);
    this.show('given');
    whenIdle(() => {
      for (const view of ['proposed', 'difference'] as const) if (!this.#isOver) this.#overlayOf(view);
    });
  }

  stop(): void {
    this.#isOver = true;
    this.#stopBlinking();
  }

  #stopBlinking(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Show a view, or the given label again if it is shown already. */
  toggle(view: View): void {
    this.show(this.#view === view ? 'given' : view);
  }

  show(view: View): void {
    this.#view = view;
    this.viewer.lay(this.#overlayOf(view));
    this.tell(WORDS[view] + (view === 'proposed' && this.loaded.proposed === null ? ': there is none' : ''));
  }

  /** While a key is held, given and proposed label alternate; the first change comes at once. */
  blink(): void {
    if (this.#timer !== null) return;
    this.show('proposed');
    this.#timer = setInterval(() => this.show(this.#view === 'proposed' ? 'given' : 'proposed'), BLINK_MS);
  }

  endBlink(): void {
    if (this.#timer === null) return;
    this.#stopBlinking();
    this.show('given');
  }

  /** Show one class alone, or all again. */
  isolate(value: number | null): void {
    this.#isolated = value;
    this.given.isolate(value);
    this.#proposed?.isolate(value);
    this.viewer.redraw();
  }

  /** Label values in the given label and the proposed one, those in question first. */
  get values(): number[] {
    const { item, given, proposed } = this.loaded;
    const present = new Uint8Array(256);
    for (const value of given.pixels) present[value] = 1;
    if (proposed !== null) for (const value of proposed.pixels) present[value] = 1;
    const first = [item.given?.value ?? 0, item.proposed?.value ?? 0].filter((value) => value !== 0);
    const others = [...present.keys()].filter((value) => value !== 0 && present[value] === 1 && !first.includes(value));
    return [...new Set([...first, ...others])];
  }

  #overlayOf(view: View): Overlay | null {
    const { item, given, proposed } = this.loaded;
    const { width, height } = item;
    if (view === 'given') return this.given;
    if (view === 'hidden' || proposed === null) return null;
    if (view === 'proposed') {
      this.#proposed ??= new Overlay(proposed.pixels, width, height);
      this.#proposed.isolate(this.#isolated);
      return this.#proposed;
    }
    const differs = (pixel: number): boolean => proposed.pixels[pixel] !== given.pixels[pixel];
    this.#difference ??= new Overlay(proposed.pixels, width, height, differs);
    return this.#difference;
  }
}

/** A place in pixels. */
export const rectOf = (box: Box | null, { width, height }: { width: number; height: number }): Rect | null =>
  box === null ? null : { x0: box.x0 * width, y0: box.y0 * height, x1: box.x1 * width, y1: box.y1 * height };
/** After what is shown now is on the screen; not every browser tells when it is idle. */
function whenIdle(work: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(work);
  else setTimeout(work, 200);
}
