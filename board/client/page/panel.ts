import { hasInk, lookOf, type Pattern } from '../../../domain/board/colours.js';
import type { Progress, ShownFinding } from '../../../domain/board/protocol.js';
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
    /** The address of a picture that shows a class. */
    private readonly exampleOf: (labelValue: number, number: number) => string,
  ) {}

  finding(finding: ShownFinding | null): void {
    if (finding === null) {
      this.#finding.replaceChildren(
        made('h1', {}, 'Nothing left to answer'),
        made('p', { class: 'note' }, 'Every finding of this filter is answered, or on another screen.'),
      );
      return;
    }
    const { kind, sentence, pWrong, fileName, tags, isStale, answer } = finding;
    const percent = Math.round(100 * pWrong);
    const meter = made('div', { class: 'meter', role: 'img', 'aria-label': `probability ${percent} %` });
    const fill = made('i');
    fill.style.width = `${percent}%`;
    meter.append(fill);
    this.#finding.replaceChildren(
      made('h1', {}, kind),
      made('p', {}, sentence),
      made('p', { class: 'figure' }, made('b', {}, `${percent} %`), ' probability that the label is wrong there'),
      meter,
      made('p', { class: 'note file' }, made('bdi', {}, fileName)),
      ...(tags === '' ? [] : [made('p', { class: 'note' }, made('bdi', {}, tags))]),
      ...this.#examplesOf(finding),
      ...(isStale ? [made('p', { class: 'warn' }, 'The label has changed since the scan.')] : []),
      ...(answer === null ? [] : [made('p', { class: 'note' }, `Answered before: ${answer.verdict}`)]),
    );
  }

  /** What the class looks like elsewhere in the pool. */
  #examplesOf({ examples: { value, name, count } }: ShownFinding): HTMLElement[] {
    if (value === 0 || count === 0) return [];
    const pictures = Array.from({ length: count }, (_, number) =>
      made('img', { src: this.exampleOf(value, number), alt: `${name} in another picture` }),
    );
    return [
      made('figure', { class: 'examples' }, ...pictures, made('figcaption', { class: 'note' }, `${name} elsewhere`)),
    ];
  }

  answers(finding: ShownFinding | null): void {
    const button = (action: Action, text: string): HTMLButtonElement =>
      keyButton(text, keyWords(this.keys.keyOf(action)), () => this.act(action));
    if (finding === null) {
      this.#answers.replaceChildren(button('undo', 'Undo'), button('handIn', 'Hand in'));
      return;
    }
    const accept = button('accept', finding.hasProposal ? 'Proposal right' : 'Proposal right (no mask)');
    this.#answers.replaceChildren(
      accept,
      button('right', 'Given label right'),
      button('fix', 'Wrong, I draw it'),
      button('unsure', 'Unsure'),
      button('undo', 'Undo'),
      button('help', 'Keys'),
    );
  }

  /** The tools of drawing; null while findings are answered. */
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

  progress(progress: Progress | null): void {
    if (progress === null) return;
    const { matching, answered, own, waiting, secondsPerAnswer, hoursLeft } = progress;
    const bar = made('progress', { max: String(Math.max(1, matching)), value: String(answered) });
    bar.setAttribute('aria-label', 'answered findings');
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
