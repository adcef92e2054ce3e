import { counted } from '../domain/base/counted.js';
import { PartloopError } from '../domain/base/errors.js';
import { rowsWhere, splitAt } from '../domain/draw/drawColumns.js';
import type { DrawResult } from '../domain/draw/step.js';
import type { ScanJudge } from '../domain/messages.js';
import { isInSplit } from '../domain/scan/judge/split.js';
import { type ScanRecord, scanRecordSchema } from '../domain/scan/record.js';
import { type StandaloneRequest, standaloneConfig } from '../domain/scan/standalone.js';
import type { ScanResult } from '../domain/scan/step.js';
import type { IterationContext } from '../domain/steps.js';
import { modelCardSchema } from '../domain/train/modelCard.js';
import type { ActivityDeps } from '../steps/deps.js';
import { choosePool, poolOf } from '../steps/pool.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import { keys } from '../storage/keys.js';
import { readJson } from '../storage/tables/json.js';

const SPLIT_WORDS = { train: 'training ', val: 'validation ', test: 'test ', all: '' } as const;

/** The beginning and the end of a scan that belongs to no loop; the rest is shared with loops. */
export function createStandaloneScanActivities(deps: ActivityDeps) {
  const { store } = deps;
  return {
    /** Resolve a request: the whole pool as one chunk, and its judges. */
    async prepareScan({
      request,
      scan,
    }: {
      request: StandaloneRequest;
      scan: string;
    }): Promise<{ context: IterationContext; judge: ScanJudge }> {
      const { crossValidate, model, pool: asked, split = 'train' } = request;
      if (crossValidate !== undefined && model !== undefined) {
        throw new PartloopError('input-invalid', 'fields `crossValidate` and `model` exclude each other', {
          hint: 'Folds judge each other, or a model judges all images that it has not seen.',
        });
      }
      const name = await choosePool(store, asked);
      const pool = await poolOf(deps, name);
      const index = await pool.readDrawColumns(await pool.latestVersion());
      const images = rowsWhere(index, (row) => isInSplit({ split: splitAt(index, row) }, split)).length;
      const least = crossValidate ?? 1;
      if (images < least) {
        throw new PartloopError(
          'pool-exhausted',
          `pool \`${name}\` has ${counted(images, `${SPLIT_WORDS[split]}image`, `${SPLIT_WORDS[split]}images`)}, and ` +
            `${crossValidate === undefined ? 'a scan needs' : `${crossValidate} folds need`} at least ${least}`,
          { hint: `\`partloop pool stats ${name}\` shows its images.` },
        );
      }
      const config = standaloneConfig(request, { pool: name, defaults: pool.defaults, images });
      if (model !== undefined) await checkModel(model, digestOfTaxonomy(pool.taxonomy));
      return {
        context: { loop: scan, iteration: 1, config, previous: null, force: null },
        judge:
          model !== undefined
            ? { kind: 'model', ...model }
            : { kind: crossValidate === undefined ? 'benchmark' : 'cross-validation' },
      };
    },

    /** Mark a scan as complete, as the last write; a second time changes nothing. */
    async recordScan({
      context,
      draw,
      result,
    }: {
      context: IterationContext;
      draw: DrawResult;
      result: ScanResult;
    }): Promise<void> {
      const { taxonomy } = await poolOf(deps, context.config.pool);
      const record: ScanRecord = scanRecordSchema.parse({
        version: 1,
        scan: context.loop,
        pool: context.config.pool,
        poolVersion: draw.facts.poolVersion,
        taxonomyDigest: digestOfTaxonomy(taxonomy),
        chunk: draw.outputs.chunk,
        result,
        draw,
        finishedAt: new Date().toISOString(),
      });
      await store.putIfAbsent(keys.scan(context.loop), JSON.stringify(record, null, 1), 'application/json');
    },
  };

  async function checkModel({ scan, card }: { scan: string; card: string }, taxonomyDigest: string): Promise<void> {
    const found = await readJson(store, card, modelCardSchema);
    if (found.taxonomyDigest !== taxonomyDigest)
      throw new PartloopError('model-invalid', `${card} was made for another taxonomy than that of the pool`);
    if (found.trainedOn.list === null) {
      throw new PartloopError('input-invalid', `field \`model\`: the training images of ${scan} are unknown`, {
        hint: 'A model that has seen an image finds its label right. Give `--unseen` if it has seen none of the pool, or use `--cross-validate 2`.',
      });
    }
  }
}
