import { PartloopError } from '../domain/errors.js';
import { type ModelCard, modelCardSchema } from '../domain/modelCard.js';
import type { ScanPlan } from '../domain/scanPlan.js';
import type { StepResult } from '../domain/steps.js';
import { readJson } from '../storage/json.js';
import type { ObjectStore } from '../storage/objectStore.js';

/** The model that a plan names as its judge number `judge`, or the fold's that was trained for it. */
export async function judgeOf(
  store: ObjectStore,
  plan: ScanPlan,
  judge: number,
  folds: readonly StepResult[],
): Promise<{ scanKey: string; card: ModelCard }> {
  const chosen = plan.judges[judge];
  if (chosen === undefined) throw new PartloopError('data-invalid', `the plan has no judge ${judge}`);
  if (chosen.kind === 'model')
    return { scanKey: chosen.scanKey, card: await readJson(store, chosen.cardKey, modelCardSchema) };
  const trained = folds[plan.folds.findIndex(({ fold }) => fold === chosen.fold)];
  return {
    scanKey: outputOf(trained, 'scan'),
    card: await readJson(store, outputOf(trained, 'card'), modelCardSchema),
  };
}

export function outputOf(result: StepResult | undefined, name: string): string {
  const key = result?.outputs[name];
  if (key === undefined)
    throw new PartloopError('data-invalid', `step ${result?.step ?? '(missing)'} has no output \`${name}\``);
  return key;
}
