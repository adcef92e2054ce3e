import type { Redrawn } from '../../../domain/board/batch.js';
import type { Viewer } from '../canvas/viewer.js';
import { DrawingSession } from '../edit/session.js';
import type { Loaded } from './deck.js';
import { ask } from './dialogs.js';
import { made } from './dom.js';
import { ACTIONS, type Action, type Keys, keyWords } from './keys.js';
import { DIGITS, type Panel } from './panel.js';

/** Keeps a drawn label. `seen`: digest of the one that it was drawn upon. */
type StoreDrawn = (seen: string, pixels: Uint8Array<ArrayBuffer>) => Promise<Redrawn>;

/** What the page does with the end of a drawing. */
export interface DrawingEnds {
  /** Saved, or only said to be wrong: null. */
  onAnswer(redrawn: Redrawn | null): void;
  onLeave(): void;
  onFault(error: unknown): void;
}

/** The page while a reviewer draws the right label. */
export class DrawingMode {
  readonly #session: DrawingSession;

  constructor(
    private readonly parts: { store: StoreDrawn; viewer: Viewer; keys: Keys; panel: Panel; names: readonly string[] },
    private readonly loaded: Loaded,
    private readonly values: readonly number[],
    private readonly ends: DrawingEnds,
  ) {
    const { given, proposed } = loaded.item;
    const value = proposed?.value || given?.value || values[0] || 1;
    this.#session = new DrawingSession(loaded, parts.viewer, value, () => this.show());
    parts.panel.mode('Drawing');
    this.show();
    parts.viewer.canvas.focus();
  }

  /** The tools, and the classes with their digits. */
  show(): void {
    const { panel, names } = this.parts;
    panel.tools(this.#tools(), (name) => this.#press(name));
    panel.legend(this.#shownValues(), names, this.#session.classValue, (value) => this.#choose(value));
  }

  /** True if the key meant something here. */
  keyDown(event: KeyboardEvent): boolean {
    if (event.key === 'Enter') this.#save(event.shiftKey);
    else if (event.key === 'Escape') this.#leave();
    else if (/^[1-9]$/.test(event.key)) this.#choose(this.#shownValues()[Number(event.key) - 1]);
    else return this.#session.keyDown(event);
    return true;
  }

  keyUp(event: KeyboardEvent): void {
    this.#session.keyUp(event);
  }

  undo(): void {
    this.#session.undo();
  }

  redo(): void {
    this.#session.redo();
  }

  /** True if the action is done; the others mean the same as without drawing. */
  act(action: Action): boolean {
    const session = this.#session;
    if (action === 'brush' || action === 'erase' || action === 'lasso') session.tool = action;
    else if (action === 'takeRegion') session.takeRegion();
    else if (action === 'takeAway') session.takeAway();
    else if (action === 'pickClass') this.#askClass();
    else if (action === 'undo') session.undo();
    else if (action === 'redo') session.redo();
    else if (action === 'fainter' || action === 'stronger') session.resize(action === 'stronger');
    return action !== 'whole' && action !== 'help';
  }

  #press(name: string): void {
    if (name === 'save' || name === 'wrong') this.#save(name === 'wrong');
    else if (name === 'leave') this.#leave();
    else if (name in ACTIONS) this.act(name as Action);
  }

  #tools(): { name: string; key: string; text: string; isOn: boolean }[] {
    const session = this.#session;
    const tool = (name: Action, text: string, isOn = false) => ({
      ...{ name, text, isOn, key: keyWords(this.parts.keys.keyOf(name)) },
    });
    return [
      tool('brush', `Brush: ${this.parts.names[session.classValue] ?? ''}`, session.tool === 'brush'),
      tool('erase', 'Eraser', session.tool === 'erase'),
      tool('lasso', 'Lasso', session.tool === 'lasso'),
      tool('pickClass', 'Choose the class'),
      ...(this.loaded.proposed === null ? [] : [tool('takeRegion', 'Take the proposed region')]),
      tool('takeAway', 'Take this piece away'),
      tool('undo', 'Undo the stroke'),
      tool('redo', 'Redo'),
      { name: 'save', key: 'Enter', text: 'Save', isOn: false },
      { name: 'wrong', key: 'Shift+Enter', text: 'Only say that it is wrong', isOn: false },
      { name: 'leave', key: 'Esc', text: 'Leave without saving', isOn: false },
    ];
  }

  /** A chosen class that is not in the picture yet has a digit too. */
  #shownValues(): number[] {
    const chosen = this.#session.classValue;
    if (chosen === 0 || this.values.includes(chosen)) return [...this.values];
    return [...this.values.slice(0, DIGITS - 1), chosen];
  }

  #choose(value: number | undefined): void {
    if (value !== undefined) this.#session.classValue = value;
  }

  #askClass(): void {
    const choice = made('select', { 'aria-label': 'Class', size: '12' });
    this.parts.names.forEach((name, value) => {
      choice.append(made('option', { value: String(value) }, name));
    });
    choice.value = String(this.#session.classValue);
    ask('Class to draw', choice, () => this.#choose(Number(choice.value)));
  }

  #save(onlyWrong: boolean): void {
    const { drawing } = this.#session;
    drawing.end();
    if (onlyWrong) this.#end(() => this.ends.onAnswer(null));
    else if (drawing.isChanged) void this.#store();
    else this.parts.panel.banner('Nothing is drawn yet. Shift+Enter only says that it is wrong.', true);
  }

  async #store(): Promise<void> {
    const { given } = this.loaded;
    try {
      const redrawn = await this.parts.store(given.digest, this.#session.drawing.pixels);
      this.#end(() => this.ends.onAnswer(redrawn));
    } catch (error) {
      this.ends.onFault(error);
    }
  }

  #leave(): void {
    this.#end(() => this.ends.onLeave());
  }

  #end(then: () => void): void {
    this.#session.end();
    this.parts.panel.tools(null, () => undefined);
    then();
  }
}
