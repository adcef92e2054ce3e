import { PartloopError } from '../../domain/base/errors.js';
import { applySuggestion, suggestionOf } from '../../domain/review/correction.js';
import { putOnTop } from '../../domain/review/labelMerge.js';
import type { FindingRow, IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel, type LabelMask } from '../../storage/pictures/labelMask.js';

/** A label that a reviewer drew: `drawn` is the changed `seen`. Both have the size of the image's label. */
export interface Drawn {
  seen: Uint8Array;
  drawn: Uint8Array;
}

/** What an answer does to a label: it draws on it, or puts the proposal of the finding in. */
export interface Painted {
  finding: FindingRow;
  redrawn: Drawn | null;
}

/**
 * The label of a row [height, width] with the changes of some answers put in, in their order. A finding without a mask
 * changes nothing.
 *
 * @throws PartloopError `data-invalid` for a damaged proposal or label, and for a drawn label that contradicts another
 * change of the same pixels
 */
export async function paintAnswers(
  store: ObjectStore,
  row: IndexRow,
  answers: readonly Painted[],
): Promise<Uint8Array> {
  return withAnswers(await decodeLabel(await readLabel(store, row), `label of ${row.fileName}`), answers);
}

/** The same on a label that was read. */
export function withAnswers({ pixels, width, height }: LabelMask, answers: readonly Painted[]): Uint8Array {
  return answers.reduce((label, { finding, redrawn }) => {
    if (redrawn !== null) return drawnOn(label, redrawn, finding);
    const suggestion = suggestionOf(finding);
    return suggestion === null ? label : applySuggestion(label, width, height, suggestion);
  }, pixels);
}

function drawnOn(label: Uint8Array, { seen, drawn }: Drawn, { fileName }: FindingRow): Uint8Array {
  const fits = seen.length === label.length && drawn.length === label.length;
  const merged = fits ? putOnTop(seen, drawn, label) : null;
  if (merged !== null) return merged;
  const reason = fits ? 'was changed in the same place by somebody else' : 'has another size by now';
  throw new PartloopError('data-invalid', `the label of ${fileName} ${reason} after it was drawn on`, {
    hint: 'Open the finding again and draw on the present label.',
  });
}
