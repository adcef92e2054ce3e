import { PartloopError } from '../../domain/base/errors.js';
import { decisionSchema } from '../../domain/decide/decision.js';
import { factOf, neededBy, outputOf } from '../../domain/stepContract.js';
import type { IndexRow } from '../../domain/tables.js';
import { labelNames, type Taxonomy } from '../../domain/taxonomy.js';
import { modelCardSchema } from '../../domain/train/modelCard.js';
import { evaluationRows } from '../../inference/evaluation/evaluationRows.js';
import { largestMistake } from '../../report/tables.js';
import { recordedIteration } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readJson } from '../../storage/tables/json.js';

/** Test images that are shown. */
const WORST = 12;

/** The file of a model in the store. */
export interface ModelFile {
  key: string;
  /** sha256 of it. */
  digest: string;
}

/** The test images on which the candidate of an iteration is worst. */
export interface WorstImages {
  loop: string;
  iteration: number;
  taxonomy: Taxonomy;
  images: readonly { row: IndexRow; miou: number; productionMiou: number | null; mistake: string }[];
  candidate: ModelFile;
  /** The model that it was compared with; null if there was none. */
  production: ModelFile | null;
}

/**
 * The test images on which the candidate of an iteration is worst, as they were when it was judged.
 *
 * @throws PartloopError `not-found` if the iteration is not recorded or has no evaluation
 */
export async function worstOf(
  store: ObjectStore,
  { loop, number, cacheFolder }: { loop: string; number: number; cacheFolder: string },
): Promise<WorstImages> {
  const { current } = await recordedIteration(store, loop, number);
  const { results, config } = current;
  if (results.evaluate === undefined)
    throw new PartloopError('not-found', `iteration ${number} of loop \`${loop}\` has judged no test image`, {
      hint: `\`partloop iteration show ${loop} ${number}\` shows how far it got.`,
    });
  const { draw, train, evaluate } = neededBy('the page of worst test images', results, ['draw', 'train', 'evaluate']);
  const of = { loop, iteration: number };
  const rows = await evaluationRows(store, outputOf(evaluate, 'images'), of);
  const worst = rows.toSorted((a, b) => a.imageMiou - b.imageMiou || (a.imageId < b.imageId ? -1 : 1)).slice(0, WORST);
  const compared = results.decide?.outputs;
  const before =
    compared?.benchmarkImages === undefined ? [] : await evaluationRows(store, compared.benchmarkImages, of);
  const productionMious = new Map(before.map(({ imageId, imageMiou }) => [imageId, imageMiou]));
  const pool = await openPool(store, config.pool, { cacheFolder });
  const images = await pool.readImages(factOf(draw, 'poolVersion'), new Set(worst.map(({ imageId }) => imageId)));
  const byId = new Map(images.map((row) => [row.imageId, row]));
  const { files } = await readJson(store, outputOf(train, 'card'), modelCardSchema);
  const decision = compared?.decision;
  const rival = decision === undefined ? null : (await readJson(store, decision, decisionSchema)).benchmark;
  const names = labelNames(pool.taxonomy);
  return {
    ...{ ...of, taxonomy: pool.taxonomy },
    images: worst.flatMap(({ imageId, imageMiou: miou, confusion }) => {
      const row = byId.get(imageId);
      const productionMiou = productionMious.get(imageId) ?? null;
      return row === undefined ? [] : [{ row, miou, productionMiou, mistake: largestMistake(confusion, names) }];
    }),
    candidate: { key: outputOf(train, 'scan'), digest: files.scan },
    production: rival === null ? null : { key: rival.scan, digest: rival.digest },
  };
}
