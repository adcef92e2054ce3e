import { MINOR_WEIGHT, type ScanConfig } from '../../config.js';
import type { Region } from '../../review/review.js';
import { FINDING_KINDS, type FindingKind, type FindingRow, type ScanImageRow } from '../../tables.js';
import type { Taxonomy } from '../../taxonomy.js';
import { calibrate, type JudgedCandidate, type JudgedImage } from '../calibrate/calibrate.js';
import { imageIou, judgedClasses, learnClasses } from '../calibrate/classes.js';
import { FAMILY_NAMES } from '../calibrate/families.js';
import { NO_CORRECTION, type VerdictCorrection } from '../calibrate/plattScaling.js';
import { UNKNOWN_CLASS } from '../calibrate/thresholds.js';
import type { Candidate, ClassIouByName, ReduceEntry, ScanReduction, ScanSummary } from '../types.js';
import { conflictAnswered, withoutAnswered } from './answered.js';
import { drawAudit } from './auditSample.js';
import { duplicateConflicts } from './duplicates.js';
import { findingId } from './findingId.js';
import { chooseQuarantine, thresholdForPrecision } from './quarantine.js';
import { REPORTED } from './thresholds.js';

/**
 * The scan's verdict over a whole chunk: thresholds a class, one calibrated probability a finding and an image, which images
 * are set aside, and hardness for sampling. `classIou` is the validation IoU by model (`entry.model`) and class name; null
 * where it is not known. Pure: the same entries in the same order give the same rows. Entries with an `error` or without
 * an analysis become unreadable findings, and are set aside whatever the caps; those marked `unjudged` are neither. What
 * `isSilenced` says was called right by a reviewer is not reported again, and no reason to set an image aside; `correction`
 * is what reviewers' answers have taught about such probabilities; `minorWeight` is `sample.minorWeight`.
 */
export function reduceScan(
  entries: readonly ReduceEntry[],
  taxonomy: Taxonomy,
  config: ScanConfig & { minorWeight?: number },
  classIou: Record<string, ClassIouByName> | null,
  isSilenced: (region: Region) => boolean = () => false,
  correction: VerdictCorrection = NO_CORRECTION,
): ScanReduction {
  const { minorWeight = MINOR_WEIGHT } = config;
  const classes = learnClasses(entries, taxonomy);
  const fitted = calibrate(entries, taxonomy, classes, config, classIou, correction);
  const calibration = { ...fitted, judged: fitted.judged.map((image) => withoutAnswered(image, isSilenced)) };
  const conflicts = duplicateConflicts(calibration.judged);
  calibration.judged.forEach((image, index) => {
    if (conflictAnswered(image, isSilenced)) conflicts.delete(index);
  });
  const quarantineAt =
    config.quarantinePrecision === null
      ? config.quarantineAt
      : thresholdForPrecision(
          calibration.judged.map(({ pMislabelled }) => pMislabelled),
          config.quarantinePrecision,
        );
  const reported = calibration.judged.map((image, index) => report(image, quarantineAt, conflicts.has(index)));
  const { chosen, overflow } = chooseQuarantine(
    calibration.judged.map((image, index) => ({
      index,
      probability: image.pMislabelled,
      tags: image.entry.tags,
      classId: strongestClass(reported[index] ?? []),
    })),
    {
      population: calibration.judged.map(({ entry, analysis }) => ({
        tags: entry.tags,
        classes: [...new Set([...analysis.labelledClasses, ...analysis.predictedClasses])],
      })),
      quarantineAt,
      quarantineCap: config.quarantineCap,
    },
  );
  const audit = drawAudit(
    calibration.judged.map(({ entry, pMislabelled }) => ({ imageId: entry.imageId, probability: pMislabelled })),
    config.auditSample,
  );
  const rowsByEntry = new Map<ReduceEntry, { image: ScanImageRow; findings: FindingRow[] }>();
  calibration.judged.forEach((image, index) => {
    const found = reported[index] ?? [];
    rowsByEntry.set(image.entry, {
      image: imageScanRow(
        image,
        found,
        {
          ...fateOf(found, chosen.has(index), config.quarantine),
          auditChance: audit.get(image.entry.imageId) ?? null,
        },
        taxonomy,
        minorWeight,
      ),
      findings: found.map((item) => findingRow(image, item)),
    });
  });
  const rows = entries.map((entry) => rowsByEntry.get(entry) ?? (entry.unjudged ? unjudged(entry) : unreadable(entry)));
  const findings = rows.flatMap((row) => row.findings);
  const kinds = Object.fromEntries(FINDING_KINDS.map((kind) => [kind, 0])) as Record<FindingKind, number>;
  for (const { kind } of findings) kinds[kind]++;
  const models = [...new Set(entries.map(({ model }) => model))];
  const judges = models.map((model) => judgedClasses(taxonomy, classes, classIou?.[model] ?? null, config.minClassIou));
  const summary: ScanSummary = {
    images: entries.length,
    overThreshold: rows.filter(({ image }) => image.pMislabelled >= quarantineAt).length,
    quarantineAt: Number.isFinite(quarantineAt) ? round(quarantineAt) : null,
    quarantined: rows.filter(({ image }) => image.quarantined).length,
    overflow,
    errors: rows.filter(({ image }) => image.error !== null).length,
    findings: findings.length,
    prevalence:
      calibration.judged.length === 0
        ? 0
        : calibration.judged.reduce((sum, { pMislabelled }) => sum + pMislabelled, 0) / calibration.judged.length,
    kinds,
    classes: taxonomy.classes.map((entry, index) => ({
      name: entry.name,
      threshold: round(classes[index + 1]?.threshold ?? UNKNOWN_CLASS.threshold),
      iou: classes[index + 1]?.iou ?? null,
      judged: judges.some((judged) => judged[index + 1] === true),
    })),
    calibration: {
      injectedCandidates: calibration.injectedCandidates,
      candidates: calibration.candidates,
      injectedImages: calibration.injectedImages,
      verdicts: correction,
      imagePrevalence: round(calibration.images.shares.image ?? 0),
      coefficients: {
        ...Object.fromEntries(
          FAMILY_NAMES.map((family) => [family, calibration.families[family].coefficients.map(round)]),
        ),
        image: calibration.images.coefficients.map(round),
      },
      shares: Object.assign({}, ...FAMILY_NAMES.map((family) => roundAll(calibration.families[family].shares))),
    },
    config,
  };
  return { images: rows.map((row) => row.image), findings, summary };
}

type Reported = Pick<JudgedCandidate, 'candidate' | 'pWrong' | 'pModel'>;

/**
 * What of an image is written down, most probable first: candidates over the floor; the best one in any case where the image
 * itself is over the threshold, so that a reviewer is never sent to an image without a reason.
 */
function report(image: JudgedImage, quarantineAt: number, conflict: boolean): Reported[] {
  const sorted = [...image.candidates].sort((a, b) => b.pOwnError - a.pOwnError);
  let found: Reported[] = sorted.filter(({ pOwnError }) => pOwnError >= REPORTED.findingAt);
  if (found.length === 0 && image.pMislabelled >= quarantineAt) found = sorted.slice(0, 1);
  // A label that is known to be wrong contradicts its copy's; only where nothing is known the contradiction is news.
  if (conflict && !found.some(({ pWrong }) => pWrong >= REPORTED.knownWrong))
    found.push({ candidate: conflictCandidate(image), pWrong: image.pMislabelled, pModel: image.pMislabelled });
  return found;
}

/** Of an image chosen for quarantine, only the regions are kept from training where the config says so and all it has are regions. */
function fateOf(
  found: readonly Reported[],
  chosen: boolean,
  mode: ScanConfig['quarantine'],
): Pick<ScanImageRow, 'quarantined' | 'regionsIgnored'> {
  const regionsIgnored =
    chosen && mode === 'region' && found.length > 0 && found.every(({ candidate }) => candidate.proposal !== null);
  return { quarantined: chosen && !regionsIgnored, regionsIgnored };
}

function conflictCandidate({ analysis }: JudgedImage): Candidate {
  const { width, height } = analysis;
  const features = {
    confidence: 0,
    disagreement: 0,
    coverage: 1,
    compactness: 0,
    enclosure: 0,
    absent: 0,
    balance: 0,
    context: 0,
    gain: 0,
  };
  return {
    kind: 'duplicate_conflict',
    classId: 0,
    suggestedClassId: null,
    area: width * height,
    box: [0, 0, width, height],
    features,
    counts: [],
    proposal: null,
    rule: true,
  };
}

function strongestClass(found: readonly Reported[]): number | null {
  const best = found[0]?.candidate;
  if (best === undefined) return null;
  const value = best.classId === 0 ? best.suggestedClassId : best.classId;
  return value === 0 ? null : value;
}

function imageScanRow(
  image: JudgedImage,
  found: readonly Reported[],
  fate: Pick<ScanImageRow, 'quarantined' | 'regionsIgnored' | 'auditChance'>,
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
    labelQuality: round(1 - pMislabelled),
    pMislabelled: round(pMislabelled),
    ...fate,
    kinds: [...new Set(found.map(({ candidate }) => candidate.kind))],
    findings: found.length,
    labelIou: round(as.mean),
    hardness: round(1 - without.mean),
    classIou: JSON.stringify(as.byClass),
    predictedClasses: analysis.predictedClasses,
    inferredTags: JSON.stringify(analysis.inferredTags),
    model: entry.model,
    error: null,
  };
}

function findingRow({ entry, analysis }: JudgedImage, { candidate, pWrong, pModel }: Reported): FindingRow {
  const { width, height } = analysis;
  const [x0, y0, x1, y1] = candidate.box;
  const features = Object.fromEntries(Object.entries(candidate.features).map(([name, value]) => [name, round(value)]));
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
    pWrong: round(pWrong),
    pModel: round(pModel),
    x0: x0 / width,
    y0: y0 / height,
    x1: x1 / width,
    y1: y1 / height,
    evidence: JSON.stringify(features),
    proposal:
      candidate.proposal === null ? null : JSON.stringify({ size: [height, width], counts: candidate.proposal }),
  };
}

/** An image that no model may judge: not sampled, since nothing is known of it, but not suspected either. */
function unjudged({ imageId, fileName, labelSha256, model, error }: ReduceEntry): {
  image: ScanImageRow;
  findings: FindingRow[];
} {
  const image: ScanImageRow = {
    imageId,
    fileName,
    labelSha256,
    labelQuality: 1,
    pMislabelled: 0,
    quarantined: false,
    regionsIgnored: false,
    auditChance: null,
    kinds: [],
    findings: 0,
    labelIou: 0,
    hardness: 0,
    classIou: '{}',
    predictedClasses: [],
    inferredTags: '{}',
    model,
    error: error ?? 'no model judged it',
  };
  return { image, findings: [] };
}

function unreadable(entry: ReduceEntry): { image: ScanImageRow; findings: FindingRow[] } {
  const { imageId, fileName, labelSha256, model } = entry;
  const error = entry.error ?? 'the image was not analysed';
  return {
    image: {
      imageId,
      fileName,
      labelSha256,
      labelQuality: 0,
      pMislabelled: 1,
      quarantined: true,
      regionsIgnored: false,
      auditChance: null,
      kinds: ['unreadable'],
      findings: 1,
      labelIou: 0,
      hardness: 0,
      classIou: '{}',
      predictedClasses: [],
      inferredTags: '{}',
      model,
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

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function roundAll(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)]));
}
