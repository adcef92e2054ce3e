import { PartloopError } from '../../domain/base/errors.js';
import type { ScanPlan } from '../../domain/scan/judge/plan.js';
import { outputOf } from '../../domain/stepContract.js';
import { type ModelCard, modelCardSchema } from '../../domain/train/modelCard.js';
import type { FoldResult } from '../../domain/train/step.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readJson } from '../../storage/tables/json.js';

/** The model of judge number `judge` in a plan, or the model trained for that fold. */
export async function judgeOf(
  store: ObjectStore,
  plan: ScanPlan,
  judge: number,
  folds: readonly FoldResult[],
): Promise<{ scanKey: string; card: ModelCard }> {
  const chosen = plan.judges[judge];
  if (chosen === undefined) throw new PartloopError('data-invalid', `the plan has no judge ${judge}`);
  if (chosen.kind === 'model')
    return { scanKey: chosen.scanKey, card: await readJson(store, chosen.cardKey, modelCardSchema) };
  const trained = folds[plan.folds.findIndex(({ fold }) => fold === chosen.fold)];
  if (trained === undefined) throw new PartloopError('data-invalid', `fold ${chosen.fold} was not trained`);
  return {
    scanKey: outputOf(trained, 'scan'),
    card: await readJson(store, outputOf(trained, 'card'), modelCardSchema),
  };
}
