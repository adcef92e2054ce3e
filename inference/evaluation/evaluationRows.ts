import { PartloopError } from '../../domain/base/errors.js';
import type { EvaluateResult } from '../../domain/evaluate/step.js';
import { evaluationSummarySchema } from '../../domain/evaluate/summary.js';
import type { LeftOut } from '../../domain/images/leftOut.js';
import { type EvaluationRow, evaluationRowSchema } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';

/** The owner of the evaluation, for an error that says how to make it again. */
interface EvaluatedIteration {
  loop: string;
  iteration: number;
  /** A later iteration needs it, and is tried again afterwards. */
  isEarlier?: boolean;
}

/**
 * The judged test images by which an iteration is measured. Evaluations are stored beside models, not below an
 * iteration: only their reader knows which replay makes them again.
 *
 * @throws PartloopError `data-invalid` or `not-found` that names this replay
 */
export async function evaluationRows(
  store: ObjectStore,
  key: string,
  { loop, iteration, isEarlier = false }: EvaluatedIteration,
): Promise<EvaluationRow[]> {
  try {
    return await readTable(store, key, evaluationRowSchema);
  } catch (error) {
    if (!(error instanceof PartloopError) || (error.code !== 'data-invalid' && error.code !== 'not-found')) throw error;
    const then = isEarlier ? `, then \`partloop loop retry ${loop}\`` : '';
    throw new PartloopError(error.code, error.message, {
      cause: error,
      hint: `Judge the test images again: \`partloop iteration replay ${loop} ${iteration} --from evaluate\`${then}.`,
    });
  }
}

/** Test images on which a model could not be judged; older evaluations judged all. */
export async function evaluationLeftOut(store: ObjectStore, { outputs }: EvaluateResult): Promise<LeftOut[]> {
  const { summary } = outputs;
  return summary === undefined ? [] : (await readJson(store, summary, evaluationSummarySchema)).leftOut;
}
