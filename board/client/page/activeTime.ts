/** Nobody looks at a screen for longer than this without a key or a movement. */
const IDLE_MS = 60_000;
const SIGNS = ['keydown', 'pointermove', 'pointerdown', 'wheel'] as const;

/** Time that a person spends on what is shown; pauses do not count. */
export class ActiveTime {
  #sum = 0;
  #last = performance.now();

  constructor() {
    for (const sign of SIGNS) addEventListener(sign, () => this.#note(), { passive: true, capture: true });
  }

  /** Something else is shown now. */
  restart(): void {
    this.#sum = 0;
    this.#last = performance.now();
  }

  get milliseconds(): number {
    this.#note();
    return Math.round(this.#sum);
  }

  #note(): void {
    const now = performance.now();
    const since = now - this.#last;
    if (since < IDLE_MS && !document.hidden) this.#sum += since;
    this.#last = now;
  }
}
