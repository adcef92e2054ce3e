import { seededRandom, shuffle } from '../../domain/base/random.js';
import { sampleConfigSchema, scanConfigSchema } from '../../domain/config.js';
import { POLICIES } from '../../domain/sample/policies/index.js';
import type { SamplePolicy } from '../../domain/sample/policies/policy.js';
import { sampleChunk } from '../../domain/sample/sampleChunk.js';
import { reduceScan, type ScanReduction } from '../../domain/scan/index.js';
import type { ChunkRow, ScanImageRow, TrainingRow } from '../../domain/tables.js';
import type { BenchImage } from '../detect/data.js';
import { type Judged, sha256 } from '../detect/models.js';
import { analyseSet } from '../detect/scan.js';
import type { Arm, Choice } from './arms.js';
import { type Impression, impressionsOf } from './logits.js';
import { highest, proportional } from './policies/rank.js';
import { repeatFactors } from './policies/repeatFactor.js';
import { shapeScores } from './policies/shape.js';
import { typicalityScores } from './policies/typical.js';
import type { ExperimentPool } from './pools.js';

/** A scanned pool, from which arms choose. */
export interface ScannedPool {
  pool: ExperimentPool;
  scan: ScanReduction;
  /** In the order of the images; empty if no choice asks for them. */
  impressions: Impression[];
}

/** Scan a pool for arms that choose so. */
export async function scanPool(
  pool: ExperimentPool,
  judged: Judged,
  seed: number,
  choices: readonly Choice[],
): Promise<ScannedPool> {
  const { entries, classIou } = await analyseSet(pool.set, judged, pool.given, seed);
  const scan = reduceScan(entries, pool.set.taxonomy, scanConfigSchema.parse({}), classIou);
  const asked = choices.includes('entropy') || choices.includes('typical');
  return { pool, scan, impressions: asked ? await impressionsOf(pool.set, judged) : [] };
}

export interface PickOptions {
  /** Images to choose. */
  budget: number;
  seed: number;
  iteration?: number;
  /** Earlier picks. */
  trainingSet?: readonly BenchImage[];
}

/** The images that an arm trains on, in the order of the pool. */
export function pick(arm: Arm, { pool, scan, impressions }: ScannedPool, options: PickOptions): BenchImage[] {
  const { images, taxonomy } = pool.set;
  const filtered = filterBy(arm, pool, scan.images);
  if (arm.choice === 'everything') {
    const out = new Set(filtered.filter(({ quarantined }) => quarantined).map(({ imageId }) => imageId));
    return images.filter(({ imageId }) => !out.has(imageId));
  }
  const isProduct = arm.choice === 'need' || arm.choice === 'cover' || arm.choice === 'distinct';
  const { rows } = sampleChunk(
    {
      chunk: images.map((image) => chunkRow(image, pool.given(image))),
      scan: filtered,
      trainingSet: (options.trainingSet ?? []).map(
        (image): TrainingRow => ({ ...chunkRow(image, pool.given(image)), pickedIn: 1 }),
      ),
      taxonomy,
      // Only the product limits copies and keeps a reserve.
      config: sampleConfigSchema.parse(isProduct ? {} : { randomShare: 0, perCluster: 1_000 }),
      budget: options.budget,
      seed: options.seed,
      iteration: options.iteration ?? 1,
    },
    policyOf(arm, pool, impressions, options),
  );
  const picked = new Set(rows.map(({ imageId }) => imageId));
  return images.filter(({ imageId }) => picked.has(imageId));
}

/** Whether an arm looks at what judges say. */
export const isBlind = ({ choice, filter }: Arm): boolean => choice === 'random' && filter !== 'on';

/** The images that a blind arm trains on, in the order of the pool: no scan is needed for it. */
export function pickBlindly(
  { filter }: Arm,
  pool: ExperimentPool,
  { budget, seed, iteration = 1 }: PickOptions,
): BenchImage[] {
  const offered = pool.set.images.filter((image) => filter === 'off' || !pool.isWrong(image));
  const picked = new Set(shuffle(offered, seededRandom('experiment', 'blind', seed, iteration)).slice(0, budget));
  return offered.filter((image) => picked.has(image));
}

/** The rows of the scan as the filter of an arm would have them. */
function filterBy({ filter }: Arm, pool: ExperimentPool, rows: readonly ScanImageRow[]): ScanImageRow[] {
  if (filter === 'on') return [...rows];
  const wrong = new Set(pool.set.images.filter((image) => pool.isWrong(image)).map(({ imageId }) => imageId));
  return rows.map((row) => ({
    ...row,
    pMislabelled: 0,
    quarantined: filter === 'perfect' && wrong.has(row.imageId),
    regionsIgnored: false,
  }));
}

function policyOf(
  { choice }: Arm,
  pool: ExperimentPool,
  impressions: readonly Impression[],
  { budget, seed }: PickOptions,
): SamplePolicy {
  const { images } = pool.set;
  const at = new Map(images.map(({ imageId }, index) => [imageId, index]));
  const impressionOf = (imageId: string): Impression => impressions[at.get(imageId) ?? -1] as Impression;
  switch (choice) {
    case 'need':
    case 'cover':
      return POLICIES[choice];
    case 'random':
    case 'distinct':
      return POLICIES.random;
    case 'balanced':
      return proportional(repeatFactors);
    case 'entropy':
      return highest((imageId) => impressionOf(imageId).entropy);
    case 'shape': {
      const scores = shapeScores(
        images.map(({ imageId, width, height }, index) => ({
          ...{ imageId, width, height },
          label: pool.given(images[index] as BenchImage),
        })),
      );
      return highest((imageId) => scores.get(imageId) ?? 0);
    }
    default:
      return (request) => {
        const ids = request.candidates.map(({ imageId }) => imageId);
        const vectors = ids.map((imageId) => impressionOf(imageId).layout);
        const scores = typicalityScores(ids, vectors, budget, seededRandom('experiment', 'typical', seed));
        return highest((imageId) => scores.get(imageId) ?? 0)(request);
      };
  }
}

function chunkRow(image: BenchImage, label: Uint8Array): ChunkRow {
  const { imageId, fileName, width, height, tags, vehicleId, cluster } = image;
  return {
    ...{ imageId, fileName, width, height, ...tags, vehicleId, cluster },
    imageUri: fileName,
    imageEtag: null,
    imageVersion: null,
    labelUri: fileName,
    labelSha256: sha256(label),
    tagOrigins: '{}',
    source: 'in-house',
    split: 'train',
    perceptualHash: '0'.repeat(16),
    classes: [...new Set(label)].filter((value) => value > 0 && value < 255).sort((a, b) => a - b),
    labelRevision: 1,
    ingestedAt: '2026-01-01T00:00:00.000Z',
    change: 'import',
    changeId: null,
    removedAt: null,
  };
}
