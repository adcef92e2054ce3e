import { createHash } from 'node:crypto';
import { type LeftOut, leftOutBy } from '../../domain/images/leftOut.js';
import { proposalSchema } from '../../domain/review/correction.js';
import type { JudgedRow } from '../../domain/sample/columns.js';
import { ignoreRegions } from '../../domain/sample/ignoredRegions.js';
import type { FindingRow, TrainingRow } from '../../domain/tables.js';
import type { ObjectStore } from '../objects/objectStore.js';
import { parseJson } from '../tables/json.js';
import { readLabel } from './imageSource.js';
import { decodeLabel, encodeLabel, type LabelMask } from './labelMask.js';

/**
 * Other rows for images that the scan keeps without their suspect regions: these are 255 in a copy of the label, kept
 * under `keyOf(digest)`. The revision stays, so a corrected label replaces it again. A row with an unreadable label is
 * left out, since it must not train with its suspect regions.
 *
 * @param rows may include images that stay as they are
 * @returns the rows that have another label, and the images that are left out
 */
export async function withIgnoredRegions(
  store: ObjectStore,
  rows: Iterable<TrainingRow>,
  scanned: readonly Pick<JudgedRow, 'imageId' | 'labelSha256' | 'regionsIgnored'>[],
  findings: readonly FindingRow[],
  keyOf: (sha256: string) => string,
): Promise<{ rows: TrainingRow[]; leftOut: LeftOut[] }> {
  const judged = new Map(scanned.flatMap((row) => (row.regionsIgnored ? [[row.imageId, row.labelSha256]] : [])));
  const proposals = new Map<string, FindingRow[]>();
  for (const finding of findings)
    if (judged.has(finding.imageId))
      proposals.set(finding.imageId, [...(proposals.get(finding.imageId) ?? []), finding]);
  const changed: TrainingRow[] = [];
  const leftOut: LeftOut[] = [];
  for (const row of rows) {
    // A label corrected since the scan is another label, and is used whole.
    if (judged.get(row.imageId) !== row.labelSha256) continue;
    const regions = (proposals.get(row.imageId) ?? []).flatMap((finding) =>
      finding.proposal !== null
        ? [parseJson(new TextEncoder().encode(finding.proposal), `finding ${finding.findingId}`, proposalSchema)]
        : [],
    );
    const label = await readAgain(store, row);
    if ('kind' in label) {
      leftOut.push(label);
      continue;
    }
    const { pixels, width, height } = label;
    const bytes = await encodeLabel(ignoreRegions(pixels, width, height, regions), width, height);
    const labelSha256 = createHash('sha256').update(bytes).digest('hex');
    const labelUri = keyOf(labelSha256);
    await store.put(labelUri, bytes, 'image/png');
    changed.push({ ...row, labelUri, labelSha256 });
  }
  return { rows: changed, leftOut };
}

async function readAgain(store: ObjectStore, row: TrainingRow): Promise<LabelMask | LeftOut> {
  try {
    return await decodeLabel(await readLabel(store, row), `label of ${row.fileName}`);
  } catch (error) {
    return leftOutBy(row, error);
  }
}
