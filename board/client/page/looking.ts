import type { ShownFinding } from '../../../domain/board/protocol.js';
import type { Api } from '../api.js';
import { Viewer } from '../canvas/viewer.js';
import { element } from '../setting.js';
import { loadItem } from './deck.js';
import { keyButton, made } from './dom.js';
import { Views } from './views.js';

/** Shows findings large, one after the other, and asks of each whether an answer fits. */
export class Looking {
  readonly #dialog = element('look', HTMLDialogElement);
  readonly #question = element('question', HTMLElement);
  readonly #viewer = new Viewer(element('picture', HTMLCanvasElement));
  #views: Views | null = null;
  #decide: ((fits: boolean) => void) | null = null;

  constructor(private readonly api: Api<ShownFinding>) {
    this.#dialog.addEventListener('keydown', (event) => this.#keyDown(event));
    this.#dialog.addEventListener('keyup', (event) => {
      if (event.key === ' ') this.#views?.endBlink();
    });
    this.#dialog.addEventListener('cancel', () => this.#decide?.(false));
  }

  /** The ids that were seen if the answer fits all; null as soon as it does not fit one. */
  async throughAll(findings: readonly ShownFinding[], answer: string): Promise<string[] | null> {
    this.#dialog.showModal();
    try {
      for (const [index, finding] of findings.entries())
        if (!(await this.#fits(finding, `${index + 1} of ${findings.length}: does “${answer}” fit here?`))) return null;
      return findings.map(({ id }) => id);
    } finally {
      this.#views?.stop();
      this.#dialog.close();
    }
  }

  async #fits(finding: ShownFinding, question: string): Promise<boolean> {
    this.#views?.stop();
    this.#views = new Views(await loadItem(this.api, finding), this.#viewer, () => undefined);
    this.#views.start();
    return new Promise((resolve) => {
      this.#decide = resolve;
      this.#question.replaceChildren(
        made('p', {}, made('b', {}, question)),
        made('p', {}, finding.sentence),
        keyButton('It fits', 'J', () => resolve(true)),
        keyButton('It does not: end', 'N', () => resolve(false)),
        made('p', { class: 'note' }, 'Hold Space: the labels blink. D: difference. H: no label.'),
      );
      this.#viewer.canvas.focus();
      this.#dialog.dataset.shown = finding.id;
    });
  }

  #keyDown(event: KeyboardEvent): void {
    const key = event.key.toLowerCase();
    if (key === 'j') this.#decide?.(true);
    else if (key === 'n') this.#decide?.(false);
    else if (key === ' ') this.#views?.blink();
    else if (key === 'd') this.#views?.toggle('difference');
    else if (key === 'h') this.#views?.toggle('hidden');
    else return;
    event.preventDefault();
  }
}
