import type { AnswerRequest, ShownFinding } from '../../../domain/board/protocol.js';
import { made } from './dom.js';
import type { Given, Subject } from './subject.js';

/** Findings, one after the other. */
export class FindingSubject implements Subject<ShownFinding> {
  readonly noun = 'findings';

  /** @param exampleOf the address of a picture that shows a class */
  constructor(private readonly exampleOf: (labelValue: number, number: number) => string) {}

  describe(finding: ShownFinding | null): HTMLElement[] {
    if (finding === null)
      return [
        made('h1', {}, 'Nothing left to answer'),
        made('p', { class: 'note' }, 'Every finding of this filter is answered, or on another screen.'),
      ];
    const { kind, sentence, pWrong, fileName, tags, isStale, answer } = finding;
    const percent = Math.round(100 * pWrong);
    const meter = made('div', { class: 'meter', role: 'img', 'aria-label': `probability ${percent} %` });
    const fill = made('i');
    fill.style.width = `${percent}%`;
    meter.append(fill);
    return [
      made('h1', {}, kind),
      made('p', {}, sentence),
      made('p', { class: 'figure' }, made('b', {}, `${percent} %`), ' probability that the label is wrong there'),
      meter,
      made('p', { class: 'note file' }, made('bdi', {}, fileName)),
      ...(tags === '' ? [] : [made('p', { class: 'note' }, made('bdi', {}, tags))]),
      ...this.#examplesOf(finding),
      ...(isStale ? [made('p', { class: 'warn' }, 'The label has changed since the scan.')] : []),
      ...(answer === null ? [] : [made('p', { class: 'note' }, `Answered before: ${answer.verdict}`)]),
    ];
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

  nameOf({ kind }: ShownFinding): string {
    return kind;
  }

  answers({ hasProposal }: ShownFinding) {
    return [
      { action: 'accept', text: hasProposal ? 'Proposal right' : 'Proposal right (no mask)' },
      { action: 'right', text: 'Given label right' },
      { action: 'fix', text: 'Wrong, I draw it' },
      { action: 'unsure', text: 'Unsure' },
    ] as const;
  }

  requestOf({ id }: ShownFinding, { verdict, redrawn, comment, activeMs }: Given): AnswerRequest {
    return { findingId: id, verdict, redrawn, comment, activeMs };
  }

  /** The finding itself is what holds. */
  askWhatHolds(_finding: ShownFinding, _point: unknown, onDone: (findingIds: readonly string[]) => void): void {
    onDone([]);
  }
}
