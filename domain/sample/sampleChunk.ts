import { iterable } from '../base/iterable.js';
import { seededRandom, shuffle } from '../base/random.js';
import { round6 } from '../base/round.js';
import type { SampleConfig } from '../config.js';
import type { ChunkRow, SampleRow, ScanImageRow, TrainingRow } from '../tables.js';
import { labelNames, type Taxonomy } from '../taxonomy.js';
import { type Cell, type CellImage, cellsBy, knownTags } from './cells.js';
import { type Need, type NeedCandidate, needs } from './need.js';
import { inclusionProbabilities, systematicPick } from './pps.js';

export interface SampleRequest {
  /** The drawn chunk, and images that the scan let out of quarantine. */
  chunk: readonly ChunkRow[];
  scan: readonly ScanImageRow[];
  /** Picks of earlier iterations, without quarantined images; gone through more than once. */
  trainingSet: Iterable<TrainingRow>;
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
  /** Sum of the probabilities over all candidates; equals the number of picks. */
  probabilitySum: number;
  /** Picks of a simple random sample of the whole chunk with the same size, for comparison. */
  random: string[];
}

/** The scan did not judge these: it used only rules. */
const RULES_MODEL = 'rules';

/**
 * The images of a chunk that the model needs. Quarantined and unreadable images are out; at most two per duplicate
 * cluster stay; a simple random reserve comes first; the rest is a systematic sample with probability proportional to
 * need. Pure: equal requests give equal picks.
 *
 * A row's probability is r/N + (1 - r/N)·π of reserve size r, candidates N and π for the whole list: exact but for
 * terms of 1/N, since the second stage works on the rest after the reserve.
 */
export function sampleChunk(request: SampleRequest): Sample {
  const { chunk, scan, taxonomy, config, budget, seed, iteration } = request;
  const scans = new Map(scan.map((row) => [row.imageId, row]));
  const passing = chunk.filter(({ imageId }) => isPassed(scans.get(imageId)));
  const kept = limitClusters(passing, scans, config.perCluster, seededRandom(seed, iteration, 'sample', 'clusters'));
  const count = Math.min(budget, kept.length);
  const random = randomPick(chunk, count, seed, iteration);
  if (count === 0) return { rows: [], candidates: kept.length, probabilitySum: 0, random };

  const order = orderedNeeds(kept, scans, count, request);
  const reserveSize = Math.round(config.randomShare * count);
  const reserve = drawReserve(kept, reserveSize, seed, iteration);
  const byNeed = count - reserveSize;
  const rest = order.filter(({ imageId }) => !reserve.has(imageId));
  const picked = pickByNeed(rest, byNeed, seededRandom(seed, iteration, 'sample', 'start')());
  const probabilities = pickProbabilities(order, byNeed, reserveSize / kept.length);

  const names = labelNames(taxonomy);
  const toRow = (need: Need, reason: SampleRow['reason']): SampleRow =>
    sampleRow(need, reason, probabilities.get(need.imageId) ?? 0, names);
  const rows = [
    ...order.filter(({ imageId }) => reserve.has(imageId)).map((need) => toRow(need, 'random')),
    ...picked.map((need) => toRow(need, 'need')),
  ];
  return {
    rows: rows.sort((a, b) => compare(a.imageId, b.imageId)),
    candidates: kept.length,
    probabilitySum: round6([...probabilities.values()].reduce((sum, value) => sum + value, 0)),
    random,
  };
}

const isPassed = (judged: ScanImageRow | undefined): boolean =>
  judged !== undefined && !judged.quarantined && judged.error === null;

/** Every candidate's need, sorted by the properties that should vary: a systematic sample then spreads over them. */
function orderedNeeds(
  kept: readonly ChunkRow[],
  scans: ReadonlyMap<string, ScanImageRow>,
  count: number,
  { trainingSet, taxonomy, config }: SampleRequest,
): Need[] {
  const toCells = (row: TrainingRow | ChunkRow): CellImage => ({
    ...knownTags(row, scans.get(row.imageId)),
    classes: row.classes,
    predictedClasses: scans.get(row.imageId)?.predictedClasses ?? null,
  });
  const all = iterable(function* () {
    for (const row of kept) yield toCells(row);
    for (const row of trainingSet) yield toCells(row);
  });
  const cellsOf = cellsBy(all, taxonomy);
  const candidates = kept.map((row) => toCandidate(row, scans.get(row.imageId), cellsOf(toCells(row))));
  const training = iterable(function* () {
    for (const row of trainingSet) yield { cells: cellsOf(toCells(row)), classes: row.classes };
  });
  const needed = needs(candidates, training, count, config.shrinkage);
  const stratumOf = stratumBy();
  return candidates
    .map((candidate, index) => ({ need: needed[index] as Need, stratum: stratumOf(candidate.cells) }))
    .sort((a, b) => compare(a.stratum, b.stratum) || compare(a.need.imageId, b.need.imageId))
    .map(({ need }) => need);
}

/** The margins of an image in one text, which images of the same cells share. */
function stratumBy(): (cells: readonly Cell[]) => string {
  const known = new Map<readonly Cell[], string>();
  return (cells) => {
    const there = known.get(cells);
    if (there !== undefined) return there;
    const margins = cells.filter(({ parents }) => parents.length === 0).map(({ key }) => key);
    known.set(cells, margins.join('|'));
    return margins.join('|');
  };
}

/** Image ids of a simple random sample, regardless of need. */
function drawReserve(kept: readonly ChunkRow[], size: number, seed: number, iteration: number): Set<string> {
  const ids = kept.map((row) => row.imageId);
  return new Set(shuffle(ids, seededRandom(seed, iteration, 'sample', 'reserve')).slice(0, size));
}

function pickByNeed(rest: readonly Need[], count: number, start: number): Need[] {
  const probabilities = inclusionProbabilities(
    rest.map(({ need }) => need),
    count,
  );
  return systematicPick(probabilities, count, start).map((index) => rest[index] as Need);
}

/** By image id: the probability of a pick, by the reserve or by need. */
function pickProbabilities(order: readonly Need[], byNeed: number, shareOfReserve: number): Map<string, number> {
  const full = inclusionProbabilities(
    order.map(({ need }) => need),
    shareOfReserve === 1 ? 0 : byNeed / (1 - shareOfReserve),
  );
  return new Map(
    order.map(({ imageId }, index) => [imageId, shareOfReserve + (1 - shareOfReserve) * (full[index] ?? 0)]),
  );
}

function sampleRow(need: Need, reason: SampleRow['reason'], probability: number, names: readonly string[]): SampleRow {
  return {
    imageId: need.imageId,
    reason,
    why: reason === 'random' ? 'random reserve' : explain(need, names),
    probability: Math.min(1, round6(probability)),
    need: need.need,
    tagNeed: need.tagNeed,
    hardness: need.hardness,
    rarity: need.rarity,
  };
}

/** The mean calibrated probability of being wrong over the images that were judged; null without any. */
export function estimatedWrongShare(scan: readonly ScanImageRow[], imageIds: Iterable<string>): number | null {
  const scans = new Map(scan.map((row) => [row.imageId, row.pMislabelled]));
  const known = [...imageIds].flatMap((imageId) => scans.get(imageId) ?? []);
  return known.length === 0 ? null : round6(known.reduce((sum, value) => sum + value, 0) / known.length);
}

/** The least suspect of each cluster stay: near duplicates differ in their labels more than in their pictures. */
function limitClusters(
  rows: readonly ChunkRow[],
  scans: ReadonlyMap<string, ScanImageRow>,
  perCluster: number,
  random: () => number,
): ChunkRow[] {
  const suspicion = (row: ChunkRow) => Math.round((scans.get(row.imageId)?.pMislabelled ?? 0) * 100);
  const taken = new Map<string, number>();
  return shuffle(
    rows.toSorted((a, b) => compare(a.imageId, b.imageId)),
    random,
  )
    .sort((a, b) => suspicion(a) - suspicion(b))
    .filter(({ cluster }) => {
      const before = taken.get(cluster) ?? 0;
      taken.set(cluster, before + 1);
      return before < perCluster;
    })
    .sort((a, b) => compare(a.imageId, b.imageId));
}

function randomPick(chunk: readonly ChunkRow[], count: number, seed: number, iteration: number): string[] {
  const ids = chunk.map((row) => row.imageId).sort();
  return shuffle(ids, seededRandom(seed, iteration, 'sample', 'comparison'))
    .slice(0, count)
    .sort();
}

function toCandidate(row: ChunkRow, scan: ScanImageRow | undefined, cells: readonly Cell[]): NeedCandidate {
  return {
    imageId: row.imageId,
    cells,
    classes: row.classes.filter((label) => label > 0),
    hardness: scan === undefined || scan.model === RULES_MODEL ? null : round6(scan.hardness),
    pMislabelled: round6(scan?.pMislabelled ?? 0),
  };
}

/** `angle=45, orientation=left; rare: left_mirror`: the neediest margin or pair, and the rarest parts. */
function explain(need: Need, names: readonly string[]): string {
  const [strongest] = need.cells;
  const rare = need.rareClasses.flatMap((label) => names[label] ?? []);
  const parts = [strongest?.key, rare.length > 0 ? `rare: ${rare.join(', ')}` : undefined].filter(
    (part) => part !== undefined,
  );
  return parts.length > 0 ? parts.join('; ') : 'well covered';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
