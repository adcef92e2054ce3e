import { applySuggestion, suggestionOf } from '../../domain/review/correction.js';
import type { FindingRow, IndexRow } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readLabel } from '../../storage/pictures/imageSource.js';
import { decodeLabel } from '../../storage/pictures/labelMask.js';

/**
 * The label of a row [height, width] with the proposed masks of some of its findings put in, in their order. A finding
 * without a mask changes nothing.
 *
 * @throws PartloopError `data-invalid` for a damaged proposal or label
 */
export async function paintProposals(
  store: ObjectStore,
  row: IndexRow,
  findings: readonly FindingRow[],
): Promise<Uint8Array> {
  const { pixels, width, height } = await decodeLabel(await readLabel(store, row), `label of ${row.fileName}`);
  return findings.reduce((label, finding) => {
    const suggestion = suggestionOf(finding);
    return suggestion === null ? label : applySuggestion(label, width, height, suggestion);
  }, pixels);
}
