import { round6 } from '../../base/round.js';
import type { FindingRow, ScanImageRow } from '../../tables.js';
import type { Taxonomy } from '../../taxonomy.js';
import type { JudgedCandidate, JudgedImage } from '../calibrate/calibrate.js';
import { imageIou } from '../calibrate/chunk/classes.js';
import type { ReduceEntry } from '../types.js';
import { findingId } from './findingId.js';
import { showsInterior } from './interior.js';
import { REPORTED } from './thresholds.js';

/** The rows of one image in the scan's tables. */
export interface ScanRows {
  image: ScanImageRow;
  findings: FindingRow[];
}

/** A candidate that is reported as a finding. */
export type Reported = Pick<JudgedCandidate, 'candidate' | 'pWrong' | 'pModel'>;

/** The scan's decision about an image. */
type Fate = Pick<ScanImageRow, 'quarantined' | 'regionsIgnored' | 'auditChance'>;

/** Rows of an image that a model or the rules judged. */
export function judgedRows(
  image: JudgedImage,
  found: readonly Reported[],
  fate: Fate,
  taxonomy: Taxonomy,
  minorWeight: number,
): ScanRows {
  return {
    image: imageScanRow(image, found, fate, taxonomy, minorWeight),
    findings: found.map((item) => findingRow(image, item)),
  };
}

/** Rows of an image that was not judged: it has no judge, or it is unreadable. */
export const rowsWithoutJudgement = (entry: ReduceEntry): ScanRows =>
  entry.unjudged ? unjudged(entry) : unreadable(entry);

function imageScanRow(
  image: JudgedImage,
  found: readonly Reported[],
  fate: Fate,
  taxonomy: Taxonomy,
  minorWeight: number,
): ScanImageRow {
  const { entry, analysis, pMislabelled } = image;
  const minUnion = REPORTED.leastUnion * analysis.width * analysis.height;
  const as = imageIou(analysis.classCounts, [], taxonomy, minUnion, minorWeight);
  const without = imageIou(
    analysis.classCounts,
    found.map(({ candidate }) => candidate.counts),
    taxonomy,
    minUnion,
    minorWeight,
  );
  return {
    imageId: entry.imageId,
    fileName: entry.fileName,
    labelSha256: entry.labelSha256,
    labelQuality: round6(1 - pMislabelled),
    pMislabelled: round6(pMislabelled),
    ...fate,
    kinds: [...new Set(found.map(({ candidate }) => candidate.kind))],
    findings: found.length,
    labelIou: round6(as.mean),
    hardness: round6(1 - without.mean),
    classIou: JSON.stringify(as.byClass),
    predictedClasses: analysis.predictedClasses,
    inferredTags: JSON.stringify(
      showsInterior(entry) ? { ...analysis.inferredTags, region: 'interior' } : analysis.inferredTags,
    ),
    model: entry.model,
    error: null,
  };
}

function findingRow({ entry, analysis }: JudgedImage, { candidate, pWrong, pModel }: Reported): FindingRow {
  const { width, height } = analysis;
  const [x0, y0, x1, y1] = candidate.box;
  const features = Object.fromEntries(Object.entries(candidate.features).map(([name, value]) => [name, round6(value)]));
  return {
    findingId: findingId(
      entry.imageId,
      entry.labelSha256,
      candidate.kind,
      [candidate.classId, candidate.suggestedClassId],
      candidate.box,
    ),
    imageId: entry.imageId,
    fileName: entry.fileName,
    labelSha256: entry.labelSha256,
    kind: candidate.kind,
    classId: candidate.classId,
    suggestedClassId: candidate.suggestedClassId,
    areaPx: candidate.area,
    areaShare: Math.min(1, candidate.area / (width * height)),
    pWrong: round6(pWrong),
    pModel: round6(pModel),
    x0: x0 / width,
    y0: y0 / height,
    x1: x1 / width,
    y1: y1 / height,
    evidence: JSON.stringify(features),
    proposal:
      candidate.proposal === null ? null : JSON.stringify({ size: [height, width], counts: candidate.proposal }),
  };
}

/** Values for an image whose label was not compared with a prediction. */
const notCompared = ({ imageId, fileName, labelSha256, model }: ReduceEntry) => ({
  ...{ imageId, fileName, labelSha256, model },
  ...{ regionsIgnored: false, auditChance: null },
  ...{ labelIou: 0, hardness: 0, classIou: '{}', predictedClasses: [], inferredTags: '{}' },
});

/** An image without a judge: not sampled, since nothing is known about it, but not suspected either. */
function unjudged(entry: ReduceEntry): ScanRows {
  const image: ScanImageRow = {
    ...notCompared(entry),
    ...{ labelQuality: 1, pMislabelled: 0, quarantined: false, kinds: [], findings: 0 },
    error: entry.error ?? 'no model judged it',
  };
  return { image, findings: [] };
}

/** An image that could not be analysed: set aside, with the reason as its only finding. */
function unreadable(entry: ReduceEntry): ScanRows {
  const { imageId, fileName, labelSha256 } = entry;
  const error = entry.error ?? 'the image was not analysed';
  return {
    image: {
      ...notCompared(entry),
      ...{ labelQuality: 0, pMislabelled: 1, quarantined: true, kinds: ['unreadable'], findings: 1 },
      error,
    },
    findings: [
      {
        findingId: findingId(imageId, labelSha256, 'unreadable', [0, null], [0, 0, 0, 0]),
        imageId,
        fileName,
        labelSha256,
        kind: 'unreadable',
        classId: 0,
        suggestedClassId: null,
        areaPx: 0,
        areaShare: 0,
        pWrong: 1,
        pModel: 1,
        x0: 0,
        y0: 0,
        x1: 1,
        y1: 1,
        evidence: JSON.stringify({ error }),
        proposal: null,
      },
    ],
  };
}
