import type { ShownFinding } from '../../../domain/board/protocol.js';
import { type Api, Refused } from '../api.js';
import { element } from '../setting.js';
import { ActiveTime } from './activeTime.js';
import { keyButton, made } from './dom.js';
import { Looking } from './looking.js';

/** Findings on a page. */
const SHOWN = 60;

const CHOICES = [
  { verdict: 'accept', key: 'J', words: 'Proposal right' },
  { verdict: 'right', key: 'K', words: 'Given label right' },
  { verdict: 'unsure', key: ';', words: 'Unsure' },
] as const;

/** The grid: many findings, one answer for those that are selected. */
export class Grid {
  readonly #bar = element('bar', HTMLElement);
  readonly #banner = element('banner', HTMLElement);
  readonly #thumbnails = element('thumbnails', HTMLElement);
  readonly #looking: Looking;
  readonly #time = new ActiveTime();
  #findings: readonly ShownFinding[] = [];
  readonly #selected = new Set<string>();

  constructor(private readonly api: Api<ShownFinding>) {
    this.#looking = new Looking(api);
  }

  async start(): Promise<void> {
    await this.#try(async () => {
      const { items: findings, progress } = await this.api.queue({ count: SHOWN });
      this.#findings = findings;
      this.#selected.clear();
      this.#thumbnails.replaceChildren(...findings.map((finding) => this.#thumbnail(finding)));
      this.#showBar(`${progress.matching - progress.answered} of ${progress.matching} findings are open`);
      this.#time.restart();
      if (findings.length === 0) this.#say('Nothing is left for this filter.');
    });
  }

  keyDown(event: KeyboardEvent): void {
    if (document.querySelector('dialog[open]') !== null || event.ctrlKey || event.metaKey) return;
    if (event.target instanceof HTMLElement && event.target.closest('form') !== null) return;
    const choice = CHOICES.find(({ key }) => key.toLowerCase() === event.key.toLowerCase());
    if (event.key === 'a') this.#selectAll();
    else if (choice !== undefined) void this.#answer(choice);
    else return;
    event.preventDefault();
  }

  #thumbnail(finding: ShownFinding): HTMLElement {
    const { id, kind, pWrong, fileName, given, proposed } = finding;
    const classes = proposed === null ? given.name : `${given.name} → ${proposed.name}`;
    const box = made('input', { type: 'checkbox' });
    box.dataset.finding = id;
    box.addEventListener('change', () => this.#select(id, box.checked));
    const picture = made('img', { src: this.api.thumbnailOf(finding), alt: '', loading: 'lazy' });
    const words = made('span', {}, made('b', {}, `${kind} · ${Math.round(100 * pWrong)} %`), made('bdi', {}, classes));
    return made(
      'label',
      { class: 'card' },
      picture,
      made('span', { class: 'line' }, box, words),
      made('bdi', { class: 'note' }, fileName),
    );
  }

  #select(id: string, isOn: boolean): void {
    if (isOn) this.#selected.add(id);
    else this.#selected.delete(id);
    this.#showBar();
  }

  #selectAll(): void {
    const boxes = [...this.#thumbnails.querySelectorAll('input')];
    const isOn = boxes.some(({ checked }) => !checked);
    for (const box of boxes) {
      box.checked = isOn;
      this.#select(box.dataset.finding ?? '', isOn);
    }
  }

  #showBar(words?: string): void {
    const count = this.#selected.size;
    const text = words ?? `${count} selected`;
    const buttons = CHOICES.map((choice) => {
      const button = keyButton(`${choice.words}, all`, choice.key, () => void this.#answer(choice));
      button.disabled = count === 0;
      return button;
    });
    const all = keyButton('Select all', 'A', () => this.#selectAll());
    this.#bar.replaceChildren(made('span', {}, text), all, ...buttons);
  }

  async #answer({ verdict, words }: (typeof CHOICES)[number]): Promise<void> {
    if (this.#selected.size === 0) {
      this.#say('Select findings first.');
      return;
    }
    await this.#try(async () => {
      const chosen = this.#findings.flatMap(({ id }) => (this.#selected.has(id) ? id : []));
      const { id, findings } = await this.api.select(chosen);
      const seen = await this.#looking.throughAll(findings, words);
      if (seen === null) {
        this.#say('Ended: nothing is answered. Answer these one at a time.');
        return;
      }
      await this.api.answerSelection(id, { verdict, seen, activeMs: this.#time.milliseconds });
      await this.start();
      this.#say(`${words}: ${chosen.length} findings. “One at a time” takes answers back.`);
    });
  }

  #say(text: string, isFault = false): void {
    this.#banner.textContent = text;
    this.#banner.className = isFault ? 'fault' : '';
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const hint = error instanceof Refused ? ` ${error.hint}` : '';
      this.#say(`${error instanceof Error ? error.message : String(error)}.${hint}`, true);
    }
  }
}
