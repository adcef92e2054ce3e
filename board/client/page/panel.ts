import { hasInk, lookOf, type Pattern } from '../../../domain/board/colours.js';
import type { Progress } from '../../../domain/board/protocol.js';
import { element } from '../setting.js';
import { keyButton, made } from './dom.js';
import { type Action, type Keys, keyWords } from './keys.js';

/** Classes that a digit can show alone. */
export const DIGITS = 9;

/** The column beside the picture. */
export class Panel {
  readonly #finding = element('finding', HTMLElement);
  readonly #answers = element('answers', HTMLElement);
  readonly #tools = element('tools', HTMLElement);
  readonly #legend = element('legend', HTMLElement);
  readonly #progress = element('progress', HTMLElement);
  readonly #banner = element('banner', HTMLElement);
  readonly #mode = element('mode', HTMLElement);

  constructor(
    private readonly keys: Keys,
    private readonly act: (action: Action) => void,
  ) {}

  /** What there is to say of the item on the screen. */
  describe(parts: readonly HTMLElement[]): void {
    this.#finding.replaceChildren(...parts);
  }

  /** @param choices the answers to the item; null if none is shown */
  answers(choices: readonly { action: Action; text: string }[] | null): void {
    const button = (action: Action, text: string): HTMLButtonElement =>
      keyButton(text, keyWords(this.keys.keyOf(action)), () => this.act(action));
    if (choices === null) this.#answers.replaceChildren(button('undo', 'Undo'), button('handIn', 'Hand in'));
    else
      this.#answers.replaceChildren(
        ...choices.map(({ action, text }) => button(action, text)),
        button('undo', 'Undo'),
        button('help', 'Keys'),
      );
  }

  /** The tools of drawing; null while nobody draws. */
  tools(
    tools: readonly { name: string; key: string; text: string; isOn: boolean }[] | null,
    press: (name: string) => void,
  ): void {
    this.#tools.hidden = tools === null;
    this.#answers.hidden = tools !== null;
    this.#tools.replaceChildren(
      ...(tools ?? []).map(({ name, key, text, isOn }) => {
        const button = keyButton(text, key, () => press(name));
        button.setAttribute('aria-pressed', String(isOn));
        return button;
      }),
    );
  }

  /** The classes of the label, each with its look; the first nine have digits. */
  legend(
    values: readonly number[],
    names: readonly string[],
    chosen: number | null,
    pick: (value: number) => void,
  ): void {
    const rows = values.map((value, index) => {
      const swatch = made('canvas', { class: 'swatch', width: '18', height: '18', 'aria-hidden': 'true' });
      paintSwatch(swatch, value);
      const digit = index < DIGITS ? String(index + 1) : '';
      const button = made('button', { type: 'button', 'aria-pressed': String(chosen === value) }, swatch);
      button.append(
        made('bdi', {}, names[value] ?? (value === 255 ? 'ignored' : String(value))),
        made('kbd', {}, digit),
      );
      button.addEventListener('click', () => pick(value));
      return button;
    });
    this.#legend.replaceChildren(...rows);
  }

  progress(progress: Progress | null, noun: string): void {
    if (progress === null) return;
    const { matching, answered, own, waiting, secondsPerAnswer, hoursLeft } = progress;
    const bar = made('progress', { max: String(Math.max(1, matching)), value: String(answered) });
    bar.setAttribute('aria-label', `answered ${noun}`);
    const pace = secondsPerAnswer === null ? '' : ` · ${secondsPerAnswer.toFixed(1)} s each`;
    const left =
      hoursLeft === null
        ? ''
        : ` · ${hoursLeft < 1 ? `${Math.ceil(60 * hoursLeft)} min` : `${hoursLeft.toFixed(1)} h`} left`;
    this.#progress.replaceChildren(
      bar,
      made('p', {}, `${answered.toLocaleString('en')} of ${matching.toLocaleString('en')} answered${left}`),
      made('p', { class: 'note' }, `${own.toLocaleString('en')} by you${pace} · ${waiting} not handed in yet`),
    );
  }

  /** What happened, for eyes and ears; empty clears it. */
  banner(text: string, isFault = false): void {
    this.#banner.className = isFault ? 'fault' : '';
    this.#banner.textContent = text;
  }

  /** Which label the picture shows. */
  mode(text: string): void {
    this.#mode.textContent = text;
  }
}

function paintSwatch(canvas: HTMLCanvasElement, value: number): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const { colour, pattern } = value === 0 ? { colour: [255, 255, 255], pattern: 'plain' as const } : lookOf(value);
  const [red, green, blue] = colour;
  for (let y = 0; y < canvas.height; y++)
    for (let x = 0; x < canvas.width; x++) {
      context.fillStyle = `rgba(${red}, ${green}, ${blue}, ${inkAt(pattern, x, y) ? 1 : 0.45})`;
      context.fillRect(x, y, 1, 1);
    }
}

const SWATCH_PERIOD = 6;
const inkAt = (pattern: Pattern, x: number, y: number): boolean => hasInk(pattern, x, y, SWATCH_PERIOD);
