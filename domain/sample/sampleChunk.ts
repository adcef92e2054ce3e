import { iterable } from '../base/iterable.js';
import { seededRandom, shuffle } from '../base/random.js';
import { round6 } from '../base/round.js';
import type { SampleConfig } from '../config.js';
import type { SampleRow } from '../tables.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';
import { type CellImage, cellsBy, knownTagsReader } from './cells.js';
import type { JudgedRow, OfferedRow, TrainedImage } from './columns.js';
import { type Focus, focusesOf } from './focus.js';
import { POLICIES } from './policies/index.js';
import type { NeedCandidate, NeedImage } from './policies/need.js';
import type { PolicyRequest, Rated } from './policies/policy.js';
import { randomOrder } from './randomOrder.js';

export interface SampleRequest {
  /** The drawn chunk, and images that the scan let out of quarantine. */
  chunk: readonly OfferedRow[];
  scan: readonly JudgedRow[];
  /** Picks of earlier iterations, without quarantined images; gone through more than once. */
  trainingSet: Iterable<TrainedImage>;
  taxonomy: Taxonomy;
  config: SampleConfig;
  /** Images to pick. */
  budget: number;
  seed: number;
  iteration: number;
}

export interface Sample {
  /** In order of image id. */
  rows: SampleRow[];
  /** Images that the scan lets pass, at most two per duplicate cluster. */
  candidates: number;
  /** Images that the scan lets pass, but that show the inside of a car. */
  interior: number;
  /** Sum of the probabilities over all candidates; equals the number of picks. */
  probabilitySum: number;
  /** Picks of a simple random sample of the whole chunk with the same size, for comparison. */
  random: string[];
}

/** The scan did not judge these: it used only rules. */
const RULES_MODEL = 'rules';
const NONE: readonly number[] = [];

/**
 * The images of a chunk that the model needs. Quarantined and unreadable images, and interiors, are out; at most two
 * per duplicate cluster stay; a simple random reserve comes first; a policy chooses the rest, by default the one of the
 * configuration. Pure: equal requests give equal picks.
 *
 * A row's probability is r/N + (1 - r/N)·π of reserve size r, candidates N and the policy's π for the whole list: exact
 * but for terms of 1/N, since the policy works on the rest after the reserve.
 */
export function sampleChunk(request: SampleRequest, policy = POLICIES[request.config.policy]): Sample {
  const { chunk, scan, taxonomy, config, budget, seed, iteration } = request;
  const focuses = focusesOf(config.focus, labelNames(taxonomy));
  const scans = new Map(scan.map((row) => [row.imageId, row]));
  const judged = chunk.filter(({ imageId }) => isPassed(scans.get(imageId)));
  const knownTags = knownTagsReader();
  const passing = judged.filter((row) => knownTags(row, scans.get(row.imageId)).region !== 'interior');
  const interior = judged.length - passing.length;
  const kept = limitClusters(passing, scans, config.perCluster, seededRandom(seed, iteration, 'sample', 'clusters'));
  const count = Math.min(budget, kept.length);
  const random = randomPick(chunk, count, seed, iteration);
  if (count === 0) return { rows: [], candidates: kept.length, interior, probabilitySum: 0, random };

  const reserveSize = Math.round(config.randomShare * count);
  const reserve = drawReserve(kept, reserveSize, seed, iteration);
  const ofReserve = reserveSize / kept.length;
  const { picked, rated } = policy({
    ...described(kept, scans, request, focuses),
    focuses,
    reserve,
    count: count - reserveSize,
    alone: ofReserve === 1 ? 0 : (count - reserveSize) / (1 - ofReserve),
    shrinkage: config.shrinkage,
    classNames: labelNames(taxonomy),
    random: (purpose) => seededRandom(seed, iteration, 'sample', purpose),
  });
  const chosen = new Set(picked);
  const probabilities = new Map(
    rated.map(({ imageId, probability }) => [imageId, ofReserve + (1 - ofReserve) * probability]),
  );
  const rows = rated.flatMap((one): SampleRow[] => {
    const { imageId } = one;
    if (!reserve.has(imageId) && !chosen.has(imageId)) return [];
    return [sampleRow(one, reserve.has(imageId) ? 'random' : 'need', probabilities.get(imageId) ?? 0)];
  });
  return {
    rows: rows.sort((a, b) => compare(a.imageId, b.imageId)),
    candidates: kept.length,
    interior,
    probabilitySum: round6([...probabilities.values()].reduce((sum, value) => sum + value, 0)),
    random,
  };
}

const isPassed = (judged: JudgedRow | undefined): boolean =>
  judged !== undefined && !judged.quarantined && judged.error === null;

/** The candidates with the cells that this choice tells apart, and the training set by the same cells. */
function described(
  kept: readonly OfferedRow[],
  scans: ReadonlyMap<string, JudgedRow>,
  { trainingSet, taxonomy }: SampleRequest,
  focuses: readonly Focus[],
): Pick<PolicyRequest, 'candidates' | 'training'> {
  const knownTags = knownTagsReader();
  const toCells = (row: TrainedImage): CellImage => {
    const scan = scans.get(row.imageId);
    return {
      tags: knownTags(row, scan),
      classes: row.classes,
      predictedClasses: scan?.predictedClasses ?? null,
    };
  };
  const all = iterable(function* () {
    for (const row of kept) yield toCells(row);
    for (const row of trainingSet) yield toCells(row);
  });
  const cellsOf = cellsBy(all, taxonomy);
  const describe = (row: TrainedImage): NeedImage => {
    const image = toCells(row);
    const matching =
      focuses.length === 0 ? NONE : focuses.flatMap((focus, at) => (focus.has(image.tags, image.classes) ? at : []));
    return { cells: cellsOf(image), classes: row.classes, focuses: matching };
  };
  return {
    candidates: kept.map((row) => toCandidate(row, scans.get(row.imageId), describe(row))),
    training: iterable(function* () {
      for (const row of trainingSet) yield describe(row);
    }),
  };
}

/** Image ids of a simple random sample, regardless of need. */
function drawReserve(kept: readonly OfferedRow[], size: number, seed: number, iteration: number): Set<string> {
  const ids = kept.map((row) => row.imageId);
  return new Set(shuffle(ids, seededRandom(seed, iteration, 'sample', 'reserve')).slice(0, size));
}

function sampleRow(
  { imageId, why, need, tagNeed, hardness, rarity }: Rated,
  reason: SampleRow['reason'],
  probability: number,
): SampleRow {
  return {
    ...{ imageId, reason, why: reason === 'random' ? 'random reserve' : why() },
    ...{ probability: Math.min(1, round6(probability)), need, tagNeed, hardness, rarity },
  };
}

/** The mean calibrated probability of being wrong over the images that were judged; null without any. */
export function estimatedWrongShare(
  scan: readonly Pick<JudgedRow, 'imageId' | 'pMislabelled'>[],
  imageIds: Iterable<string>,
): number | null {
  const scans = new Map(scan.map((row) => [row.imageId, row.pMislabelled]));
  const known = [...imageIds].flatMap((imageId) => scans.get(imageId) ?? []);
  return known.length === 0 ? null : round6(known.reduce((sum, value) => sum + value, 0) / known.length);
}

/** The least suspect of each cluster stay: near duplicates differ in their labels more than in their pictures. */
function limitClusters(
  rows: readonly OfferedRow[],
  scans: ReadonlyMap<string, JudgedRow>,
  perCluster: number,
  random: () => number,
): OfferedRow[] {
  const suspected = rows.map((row) => ({
    row,
    suspicion: Math.round((scans.get(row.imageId)?.pMislabelled ?? 0) * 100),
  }));
  const taken = new Map<string, number>();
  return shuffle(
    suspected.sort((a, b) => compare(a.row.imageId, b.row.imageId)),
    random,
  )
    .sort((a, b) => a.suspicion - b.suspicion)
    .map(({ row }) => row)
    .filter(({ cluster }) => {
      const before = taken.get(cluster) ?? 0;
      taken.set(cluster, before + 1);
      return before < perCluster;
    })
    .sort((a, b) => compare(a.imageId, b.imageId));
}

function randomPick(chunk: readonly OfferedRow[], count: number, seed: number, iteration: number): string[] {
  const ids = chunk.map((row) => row.imageId);
  return randomOrder(ids, seed, iteration).slice(0, count).sort();
}

function toCandidate(row: OfferedRow, scan: JudgedRow | undefined, image: NeedImage): NeedCandidate {
  return {
    ...image,
    imageId: row.imageId,
    classes: row.classes.filter((label) => label > 0),
    hardness: scan === undefined || scan.model === RULES_MODEL ? null : round6(scan.hardness),
    pMislabelled: round6(scan?.pMislabelled ?? 0),
    labelIou: scan === undefined || scan.model === RULES_MODEL ? null : scan.labelIou,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
