import type { Redrawn } from '../../../domain/board/batch.js';
import type { Shown } from '../../../domain/board/protocol.js';
import { type Api, Refused } from '../api.js';
import type { Viewer } from '../canvas/viewer.js';
import type { Setting } from '../setting.js';
import { ActiveTime } from './activeTime.js';
import type { Deck, Loaded } from './deck.js';
import { ask, showKeys } from './dialogs.js';
import { made } from './dom.js';
import { DrawingMode } from './drawingMode.js';
import type { Action, Keys } from './keys.js';
import { Panel } from './panel.js';
import type { Answer, Subject } from './subject.js';
import { rectOf, Views } from './views.js';

const OPACITY_STEP = 0.1;
const DAY_MS = 86_400_000;

const WORDS: Readonly<Record<Answer, string>> = {
  accept: 'Proposal right',
  right: 'Label right',
  wrong: 'Wrong',
  unsure: 'Unsure',
};

/** What is wrong with a label. */
interface Objection {
  redrawn?: Redrawn | null;
  /** Findings that hold. */
  objectsTo?: readonly string[];
}

/** A review page: what keys and buttons do to the item on the screen. */
export class Review<Item extends Shown> {
  readonly #panel: Panel;
  readonly #time = new ActiveTime();
  #loaded: Loaded<Item> | null = null;
  #views: Views | null = null;
  #drawing: DrawingMode | null = null;
  #isolated: number | null = null;
  #isWhole = false;
  #comment = '';
  /** Answers reach the server one after the other. */
  #sending: Promise<unknown> = Promise.resolve();
  #unsent = 0;

  constructor(
    private readonly setting: Setting,
    private readonly subject: Subject<Item>,
    private readonly api: Api<Item>,
    private readonly deck: Deck<Item>,
    private readonly viewer: Viewer,
    private readonly keys: Keys,
  ) {
    this.#panel = new Panel(keys, (action) => this.act(action));
  }

  /** True while an answer is on its way to the server. */
  get hasUnsent(): boolean {
    return this.#unsent > 0;
  }

  start(first?: string): Promise<void> {
    return this.#try(async () => {
      await this.deck.refill(first);
      await this.#showCurrent();
    });
  }

  keyDown(event: KeyboardEvent): void {
    if (this.#isHandled(event)) event.preventDefault();
  }

  #isHandled(event: KeyboardEvent): boolean {
    const { key, shiftKey, repeat } = event;
    if (event.ctrlKey || event.metaKey) {
      if (this.#drawing === null || key.toLowerCase() !== 'z') return false;
      if (shiftKey) this.#drawing.redo();
      else this.#drawing.undo();
      return true;
    }
    if (this.#drawing?.keyDown(event) === true) return true;
    if (/^[0-9]$/.test(key)) {
      this.#isolate(key === '0' ? null : this.#views?.values[Number(key) - 1]);
      return true;
    }
    const action = this.keys.actionOf(key);
    if (action === null) return false;
    if (!repeat || action === 'fainter' || action === 'stronger') this.act(action);
    return true;
  }

  keyUp(event: KeyboardEvent): void {
    this.#drawing?.keyUp(event);
    if (this.keys.actionOf(event.key) === 'blink') this.#views?.endBlink();
  }

  act(action: Action): void {
    if (this.#drawing?.act(action) === true) return;
    const views = this.#views;
    if (action === 'accept' || action === 'right' || action === 'unsure') this.#answer(action);
    else if (action === 'fix') this.#draw();
    else if (action === 'wrong') this.#askWhatHolds();
    else if (action === 'undo') this.#undo();
    else if (action === 'handIn') this.#handIn();
    else if (action === 'comment') this.#askComment();
    else if (action === 'blink') views?.blink();
    else if (action === 'difference') views?.toggle('difference');
    else if (action === 'hide') views?.toggle('hidden');
    else if (action === 'whole') this.#toggleWhole();
    else if (action === 'fainter') this.viewer.opacity -= OPACITY_STEP;
    else if (action === 'stronger') this.viewer.opacity += OPACITY_STEP;
    else if (action === 'help') showKeys(this.keys, () => this.#showAnswers());
  }

  async #showCurrent(): Promise<void> {
    const item = this.deck.current;
    this.#showProgress();
    this.#views?.stop();
    this.#comment = '';
    this.#isolated = null;
    this.#isWhole = false;
    if (item === null) {
      // Answers that are under way bring the next items.
      if (this.#unsent > 0) this.#panel.banner(`The next ${this.subject.noun} are on their way …`);
      else this.#showNothing();
      return;
    }
    const loaded = await this.deck.load(item);
    // Another item may have come first meanwhile.
    if (this.deck.current?.id !== item.id) return;
    this.#loaded = loaded;
    this.#views = new Views(loaded, this.viewer, (words) => this.#panel.mode(words));
    this.#panel.describe(this.subject.describe(item));
    this.#showAnswers();
    this.#showLegend();
    this.#views.start();
    this.#time.restart();
    document.body.dataset.shown = item.id;
  }

  #showProgress(): void {
    this.#panel.progress(this.deck.progress, this.subject.noun);
  }

  #showAnswers(): void {
    const item = this.deck.current;
    this.#panel.answers(item === null ? null : this.subject.answers(item));
  }

  #showNothing(): void {
    this.#loaded = null;
    this.#views = null;
    this.viewer.show(null);
    this.#panel.describe(this.subject.describe(null));
    this.#panel.answers(null);
    this.#showLegend();
    this.#panel.mode('');
    document.body.dataset.shown = '';
  }

  #showLegend(): void {
    const values = this.#views?.values ?? [];
    this.#panel.legend(values, this.setting.names, this.#isolated, (value) => this.#isolate(value));
  }

  /** Show one class alone; the same again, or null, shows all. */
  #isolate(value: number | null | undefined): void {
    if (value === undefined) return;
    this.#isolated = this.#isolated === value ? null : value;
    this.#views?.isolate(this.#isolated);
    this.#showLegend();
  }

  #toggleWhole(): void {
    this.#isWhole = !this.#isWhole;
    this.viewer.fit(this.#isWhole ? null : (this.#views?.box ?? null));
  }

  #answer(verdict: Answer, { redrawn = null, objectsTo = [] }: Objection = {}): void {
    const item = this.#loaded?.item;
    if (item === undefined || this.deck.current?.id !== item.id) return;
    const { subject } = this;
    if (verdict !== 'wrong' && !subject.answers(item).some(({ action }) => action === verdict)) return;
    const activeMs = Math.min(DAY_MS, this.#time.milliseconds);
    const request = subject.requestOf(item, { verdict, redrawn, objectsTo, comment: this.#comment, activeMs });
    this.deck.answered(verdict === 'accept' || redrawn !== null);
    this.#panel.banner(`${WORDS[verdict]}: ${subject.nameOf(item)}`);
    this.#unsent++;
    void this.#try(() => this.#showCurrent());
    this.#inTurn(() => this.#send(request, item));
  }

  #askWhatHolds(): void {
    const loaded = this.#loaded;
    if (loaded === null) return;
    const { item } = loaded;
    this.subject.askWhatHolds(
      item,
      (box) => this.viewer.frame(rectOf(box, item)),
      (objectsTo) => this.#answer('wrong', { objectsTo }),
    );
  }

  async #send(request: object, { id }: Item): Promise<void> {
    try {
      await this.api.answer(request);
    } catch (error) {
      this.#unsent--;
      this.deck.notAnswered(id);
      await this.start(id);
      this.#fault(error, 'This answer is not stored');
      return;
    }
    this.#unsent--;
    const before = this.deck.current?.id;
    await this.deck.refill();
    this.#showProgress();
    if (before === undefined || this.deck.current?.id !== before) await this.#showCurrent();
  }

  #undo(): void {
    this.#inTurn(async () => {
      const undone = await this.api.undo();
      if (undone === null) {
        this.#panel.banner('There is no answer of yours to take back.');
        return;
      }
      await this.deck.refill(undone);
      await this.#showCurrent();
      this.#panel.banner('Taken back.');
    });
  }

  #handIn(): void {
    this.#inTurn(async () => {
      const [first, ...others] = await this.api.handIn();
      await this.deck.refill();
      this.#showProgress();
      if (first === undefined) this.#panel.banner('Handed in.');
      else {
        const more = others.length > 0 ? `, and ${others.length} more` : '';
        this.#panel.banner(`Handed in, but a label stays: ${first.fileName}: ${first.reason}${more}`, true);
      }
    });
  }

  #draw(): void {
    const loaded = this.#loaded;
    if (loaded === null || this.#drawing !== null) return;
    const { api, viewer, keys } = this;
    const store = (seen: string, pixels: Uint8Array<ArrayBuffer>): Promise<Redrawn> =>
      api.drawn(loaded.item, seen, pixels);
    const parts = { store, viewer, keys, panel: this.#panel, names: this.setting.names };
    this.#views?.stop();
    this.#drawing = new DrawingMode(parts, loaded, this.#views?.values ?? [], {
      onAnswer: (redrawn) => {
        this.#drawing = null;
        if (redrawn === null) this.#askWhatHolds();
        else this.#answer('wrong', { redrawn });
      },
      onLeave: () => {
        this.#drawing = null;
        this.#views?.show('given');
        this.#showLegend();
      },
      onFault: (error) => this.#fault(error, 'The label is not stored'),
    });
  }

  #askComment(): void {
    const text = made('input', { type: 'text', maxlength: '2000', 'aria-label': 'Reason' });
    text.value = this.#comment;
    ask('Reason, kept with the answer', text, () => {
      this.#comment = text.value;
      this.#panel.banner(this.#comment === '' ? '' : 'The reason goes with the answer.');
    });
  }

  #inTurn(work: () => Promise<void>): void {
    this.#sending = this.#sending.then(() => this.#try(work));
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fault(error, 'That did not work');
    }
  }

  #fault(error: unknown, what: string): void {
    const said = error instanceof Error ? error.message : String(error);
    const hint = error instanceof Refused && error.hint !== '' ? ` ${error.hint}` : '';
    this.#panel.banner(`${what}: ${said}.${hint}`, true);
  }
}
