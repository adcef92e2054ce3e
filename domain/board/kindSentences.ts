import type { FindingKind } from '../tables.js';

/** What a finding claims, in one sentence for a reviewer; `{given}` and `{proposed}` stand for class names. */
const SENTENCES: Readonly<Record<FindingKind, string>> = {
  missing_part: 'Nothing is labelled here, and the model sees {proposed}.',
  extra_part: '{given} is labelled here, and the model sees no part.',
  wrong_class: '{given} is labelled here, and the model sees {proposed}.',
  swapped: '{given} is labelled here, and the model sees its counterpart of the other side, {proposed}.',
  mirrored: 'The whole label fits better with left and right exchanged.',
  shifted: 'The label fits better if it is moved.',
  bad_outline: 'The outline lies away from where the model sees the edge.',
  merged_or_split: 'The model sees {proposed} here, which is labelled nowhere: it lies under another label.',
  empty_label: 'Nothing is labelled in this picture, and the model sees parts.',
  duplicate_conflict: 'A picture that shows the same is labelled differently.',
  unreadable: 'Picture or label cannot be read, or their sizes differ.',
  hole: 'The label has a hole here.',
  impossible_view: '{given} cannot be seen from this side of the car.',
  impossible_pair: '{given} cannot be seen together with another part that is labelled.',
  wrong_side: '{given} lies among the parts of the other side of the car.',
  odd_neighbours: '{given} touches parts that are not its neighbours on a car.',
  odd_size: '{given} is far larger or smaller than usual.',
  too_many: 'More pieces of {given} are labelled than a car has.',
};

/** @param names by label value */
export function kindSentence(
  { kind, classId, suggestedClassId }: { kind: FindingKind; classId: number; suggestedClassId: number | null },
  names: readonly string[],
): string {
  const nameOf = (value: number | null): string =>
    value === null || value === 0 ? 'background' : wordsOf(names[value]);
  return SENTENCES[kind]
    .replace('{given}', () => nameOf(classId))
    .replace('{proposed}', () => nameOf(suggestedClassId));
}

const wordsOf = (name: string | undefined): string => (name ?? 'an unknown class').replaceAll('_', ' ');
