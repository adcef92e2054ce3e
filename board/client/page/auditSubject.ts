import type { AuditRequest, Box, ShownImage } from '../../../domain/board/protocol.js';
import { ask } from './dialogs.js';
import { made } from './dom.js';
import type { Given, Subject } from './subject.js';

/** Images of an audit sample, each with its whole label. The scan's opinion stays hidden: it would sway the answer. */
export class AuditSubject implements Subject<ShownImage> {
  readonly noun = 'images of the audit sample';

  describe(image: ShownImage | null): HTMLElement[] {
    if (image === null)
      return [
        made('h1', {}, 'Nothing left to answer'),
        made('p', { class: 'note' }, 'Every image of the audit sample is answered, or on another screen.'),
      ];
    const { fileName, tags, answer } = image;
    return [
      made('h1', {}, 'Is the whole label right?'),
      made('p', {}, 'Every part is labelled, has its own class, and ends where it ends in the picture.'),
      made('p', { class: 'note file' }, made('bdi', {}, fileName)),
      ...(tags === '' ? [] : [made('p', { class: 'note' }, made('bdi', {}, tags))]),
      ...(answer === null ? [] : [made('p', { class: 'note' }, `Answered before: ${answer.verdict}`)]),
    ];
  }

  nameOf(): string {
    return 'whole label';
  }

  answers() {
    return [
      { action: 'right', text: 'Label right' },
      { action: 'fix', text: 'Wrong, I draw it' },
      { action: 'wrong', text: 'Wrong, I only say so' },
      { action: 'unsure', text: 'Unsure' },
    ] as const;
  }

  requestOf({ id }: ShownImage, { verdict, redrawn, comment, objectsTo, activeMs }: Given): object {
    if (verdict === 'accept') throw new Error('a whole label has no proposal');
    const request: AuditRequest = { imageId: id, verdict, redrawn, comment, objectsTo: [...objectsTo], activeMs };
    return request;
  }

  askWhatHolds(
    { findings }: ShownImage,
    point: (box: Box | null) => void,
    onDone: (findingIds: readonly string[]) => void,
  ): void {
    if (findings.length === 0) {
      onDone([]);
      return;
    }
    const boxes = findings.map(({ findingId, box }) => {
      const input = made('input', { type: 'checkbox', value: findingId });
      input.addEventListener('focus', () => point(box));
      input.addEventListener('blur', () => point(null));
      return input;
    });
    const rows = findings.map(({ sentence }, at) => made('label', { class: 'line' }, boxes[at] ?? '', sentence));
    const field = made('fieldset', { tabindex: '-1' }, ...rows, made('p', { class: 'note' }, HOW));
    field.addEventListener('keydown', ({ key }) => {
      const input = boxes[Number(key) - 1];
      if (!/^[1-9]$/.test(key) || input === undefined) return;
      input.checked = !input.checked;
      input.focus();
    });
    ask('Which of these errors does the label have?', field, () => {
      onDone(boxes.flatMap(({ checked, value }) => (checked ? value : [])));
    });
  }
}

const HOW = 'The scan reported them. 1 to 9 or Space mark one; Enter goes on. Mark none if it overlooked the error.';
