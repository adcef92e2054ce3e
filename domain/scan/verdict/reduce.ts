import { MINOR_WEIGHT, type ScanConfig } from '../../config.js';
import type { Region } from '../../review/review.js';
import type { ScanImageRow } from '../../tables.js';
import type { Taxonomy } from '../../taxonomy.js';
import { calibrate, type JudgedImage } from '../calibrate/calibrate.js';
import { learnClasses } from '../calibrate/chunk/classes.js';
import { NO_CORRECTION, type VerdictCorrection } from '../calibrate/statistics/plattScaling.js';
import type { Candidate, ClassIouByName, ReduceEntry, ScanReduction } from '../types.js';
import { conflictAnswered, withoutAnswered } from './answered.js';
import { drawAudit, labelState } from './auditSample.js';
import { duplicateConflicts } from './duplicates.js';
import { showsInterior } from './interior.js';
import { chooseQuarantine, thresholdForPrecision } from './quarantine.js';
import { judgedRows, type Reported, rowsWithoutJudgement, type ScanRows } from './rows.js';
import { summarise } from './summary.js';
import { REPORTED } from './thresholds.js';

/**
 * The scan's verdict over a whole chunk: thresholds per class, one calibrated probability per finding and per image,
 * the images to set aside, and hardness for sampling. `classIou` is the validation IoU by model (`entry.model`) and
 * class name; null if it is unknown. Pure: the same entries in the same order give the same rows. Entries with an
 * `error` or without an analysis become unreadable findings, and are set aside regardless of caps; entries marked
 * `unjudged` are neither. Findings that a reviewer called right (`isSilenced`) are not reported again, and no reason to
 * set an image aside; `correction` is the fit of reviewers' answers to such probabilities; `minorWeight` is
 * `sample.minorWeight`.
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
  const { judged } = calibration;
  const quarantineAt = thresholdOf(judged, config);
  const conflicts = openConflicts(judged, isSilenced);
  const reported = judged.map((image, index) => report(image, quarantineAt, conflicts.has(index)));
  const { chosen, overflow } = setAside(judged, reported, quarantineAt, config);
  const audit = drawAudit(
    judged.map(({ entry, pMislabelled }) => ({ imageId: entry.imageId, probability: pMislabelled })),
    config.auditSample,
    labelState(judged.map(({ entry }) => entry)),
  );
  const rowsByEntry = new Map<ReduceEntry, ScanRows>();
  judged.forEach((image, index) => {
    const found = reported[index] ?? [];
    const auditChance = audit.get(image.entry.imageId) ?? null;
    const fate = { ...fateOf(found, chosen.has(index), config.quarantine), auditChance };
    rowsByEntry.set(image.entry, judgedRows(image, found, fate, taxonomy, minorWeight));
  });
  const rows = entries.map((entry) => rowsByEntry.get(entry) ?? rowsWithoutJudgement(entry));
  const summary = summarise(
    { entries, taxonomy, config, classIou, correction },
    { classes, calibration, quarantineAt, overflow },
    rows,
  );
  return { images: rows.map((row) => row.image), findings: rows.flatMap((row) => row.findings), summary };
}

/** The least probability at which images are set aside. */
function thresholdOf(judged: readonly JudgedImage[], config: ScanConfig): number {
  if (config.quarantinePrecision === null) return config.quarantineAt;
  return thresholdForPrecision(
    judged.map(({ pMislabelled }) => pMislabelled),
    config.quarantinePrecision,
  );
}

/**
 * Indices of images whose label contradicts that of a copy, without those that a reviewer called right nevertheless.
 */
function openConflicts(
  judged: readonly JudgedImage[],
  isSilenced: (region: Region) => boolean,
): ReturnType<typeof duplicateConflicts> {
  const conflicts = duplicateConflicts(judged);
  judged.forEach((image, index) => {
    if (conflictAnswered(image, isSilenced)) conflicts.delete(index);
  });
  return conflicts;
}

/** Indices of the images to set aside, and the number over the threshold that the caps leave in. */
function setAside(
  judged: readonly JudgedImage[],
  reported: readonly (readonly Reported[])[],
  quarantineAt: number,
  { quarantineCap }: ScanConfig,
): ReturnType<typeof chooseQuarantine> {
  return chooseQuarantine(
    judged.flatMap((image, index) => {
      // An interior is no wrong label: sample leaves it out and says so.
      if (showsInterior(image.entry)) return [];
      const classId = strongestClass(reported[index] ?? []);
      return { index, probability: image.pMislabelled, tags: image.entry.tags, classId };
    }),
    {
      population: judged.map(({ entry, analysis }) => ({
        tags: entry.tags,
        classes: [...new Set([...analysis.labelledClasses, ...analysis.predictedClasses])],
      })),
      quarantineAt,
      quarantineCap,
    },
  );
}

/**
 * The reported candidates of an image, most probable first: those over the floor, and always the best one if the image
 * itself is over the threshold, so that a reviewer is never sent to an image without a reason.
 */
function report(image: JudgedImage, quarantineAt: number, conflict: boolean): Reported[] {
  const sorted = [...image.candidates].sort((a, b) => b.pOwnError - a.pOwnError);
  let found: Reported[] = sorted.filter(({ pOwnError }) => pOwnError >= REPORTED.findingAt);
  if (found.length === 0 && image.pMislabelled >= quarantineAt) found = sorted.slice(0, 1);
  // A label that is known to be wrong contradicts its copy's anyway; the contradiction matters only if nothing is
  // known.
  if (conflict && !found.some(({ pWrong }) => pWrong >= REPORTED.knownWrong))
    found.push({ candidate: conflictCandidate(image), pWrong: image.pMislabelled, pModel: image.pMislabelled });
  return found;
}

/**
 * Whether only the regions of a quarantined image are kept from training: if the config says so and all its findings
 * are regions.
 */
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
