import { counted } from '../../domain/base/counted.js';
import { PartloopError } from '../../domain/base/errors.js';
import { type NotDrawn, whyRowNotDrawn } from '../../domain/draw/notDrawn.js';
import type { ScanRequest } from '../../domain/messages.js';
import { notScannedText } from '../../domain/scan/counts.js';
import { foldTraining } from '../../domain/scan/judge/foldTraining.js';
import { SPLIT_IN_WORDS } from '../../domain/scan/judge/split.js';
import { standaloneConfig } from '../../domain/scan/standalone.js';
import { fewImagesWarning } from '../../domain/scan/warnings.js';
import { digestOfTaxonomy } from '../../storage/digest.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readRegistry } from '../../storage/registry.js';
import { say } from '../terminal/output.js';

/** The plan of a scan, as far as it is known before the start. */
export interface PlannedScan {
  pool: string;
  split: ScanRequest['split'];
  poolImages: number;
  /** Images that it will judge, unless their files turn out bad. */
  images: number;
  notScanned: Partial<Record<NotDrawn, number>>;
  /**
   * model: the given one; benchmark: the one in production, and folds for images that it has seen; folds: each judges
   * images of the others' training.
   */
  judge: 'model' | 'benchmark' | 'folds';
  /** Training iterations of the models of cross-validation; null if none is trained. */
  folds: { count: number; iterations: number; imageSize: number; batchSize: number; preset: string } | null;
  seed: number;
  quarantineAt: number;
  quarantinePrecision: number | null;
}

/**
 * Check the pool and the settings in the same way as the scan.
 *
 * @throws PartloopError `not-found` for an unknown pool, `pool-exhausted` for one with too few such images,
 * `input-invalid` for settings that do not go together
 */
export async function planStandaloneScan(
  store: ObjectStore,
  request: ScanRequest,
  { hasModel }: { hasModel: boolean },
): Promise<PlannedScan> {
  const { pool: name = '', split } = request;
  const pool = await openPool(store, name);
  const index = await pool.readDrawColumns(await pool.latestVersion());
  const poolImages = index.ids.count;
  const whyNot = whyRowNotDrawn(index, split);
  const notScanned: Partial<Record<NotDrawn, number>> = {};
  for (let row = 0; row < poolImages; row++) {
    const why = whyNot(row);
    if (why !== null) notScanned[why] = (notScanned[why] ?? 0) + 1;
  }
  const images = poolImages - Object.values(notScanned).reduce((sum, count) => sum + count, 0);
  const least = request.crossValidate ?? 1;
  if (images < least) {
    const needs = request.crossValidate === undefined ? 'a scan needs' : counted(least, 'fold needs', 'folds need');
    throw new PartloopError(
      'pool-exhausted',
      `pool \`${name}\` has ${counted(images, 'image', 'images')} to judge (${SPLIT_IN_WORDS[split]}), and ${needs} at least ${least}`,
      { hint: `\`partloop pool stats ${name}\` shows its images; \`--split\` chooses others.` },
    );
  }
  const { train, scan, seed } = standaloneConfig(request, { pool: name, defaults: pool.defaults, images });
  const judge = hasModel ? 'model' : request.crossValidate !== undefined ? 'folds' : await usualJudge();
  const { iterations, imageSize, batchSize, preset } = foldTraining(train, scan);
  return {
    ...{ pool: name, split, poolImages, images, notScanned, judge, seed },
    folds: judge === 'model' ? null : { count: scan.folds, iterations, imageSize, batchSize, preset },
    quarantineAt: scan.quarantineAt,
    quarantinePrecision: scan.quarantinePrecision,
  };

  async function usualJudge(): Promise<'benchmark' | 'folds'> {
    const { model } = await readRegistry(store, digestOfTaxonomy(pool.taxonomy));
    return model === null ? 'folds' : 'benchmark';
  }
}

/** The plan for people, before the scan starts. */
export function tellPlannedScan(
  plan: PlannedScan,
  { model, isAsked }: { model: string | null; isAsked: boolean },
): void {
  const { pool, split, poolImages, images, notScanned, quarantineAt, quarantinePrecision } = plan;
  const rest = notScannedText(notScanned);
  say(
    `pool ${pool}: ${images} of ${counted(poolImages, 'image', 'images')} to judge (${SPLIT_IN_WORDS[split]})` +
      `${rest === '' ? '' : `; not scanned: ${rest}`}`,
    `judged by ${judgesText(plan, model, isAsked)}`,
    quarantinePrecision === null
      ? `set aside: images that are wrong with a probability of at least ${quarantineAt}`
      : `set aside: as many images as possible while ${quarantinePrecision * 100} % of them are expected to be wrong`,
    'Other choices: --split, --model or --cross-validate, --image-size, --iterations, --set scan.quarantineAt=0.7',
    ...fewImagesWarning(images).map((warning) => `warning: ${warning}`),
  );
}

function judgesText({ judge, folds, seed }: PlannedScan, model: string | null, isAsked: boolean): string {
  if (folds === null) return model ?? 'the given model';
  const each =
    `each trained for ${counted(folds.iterations, 'iteration', 'iterations')} of ` +
    `${counted(folds.batchSize, 'image', 'images')} at ${folds.imageSize} pixels (${folds.preset}, seed ${seed})`;
  const count = counted(folds.count, 'fold', 'folds');
  if (judge === 'benchmark') return `the model in production; images that it has seen by ${count}, ${each}`;
  return `${count}, ${each}${isAsked ? '' : ', since no model is in production for these classes'}`;
}
