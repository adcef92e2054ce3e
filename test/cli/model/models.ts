import { createHash } from 'node:crypto';
import { loopConfigSchema } from '../../../domain/config.js';
import { type Decision, decisionSchema, type RegisteredModel } from '../../../domain/decide/decision.js';
import { withAttempt } from '../../../domain/loop/state.js';
import type { StepResults } from '../../../domain/steps.js';
import type { Taxonomy } from '../../../domain/taxonomy.js';
import type { ModelCard } from '../../../domain/train/modelCard.js';
import { keys } from '../../../storage/keys.js';
import { updateLoopState } from '../../../storage/loopState.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { TAXONOMY } from '../../domain/sample/rows.js';
import { givenCard } from '../../support/models/givenModel.js';
import { stepResult } from '../../support/standIns/stepResult.js';

export const config = loopConfigSchema.parse({ pool: 'cars', gate: { plannedLooks: 3 }, scan: { sessions: 1 } });

/** A pool that has a taxonomy and nothing else yet. */
export async function emptyPool(store: ObjectStore, pool: string, taxonomy: Taxonomy = TAXONOMY): Promise<void> {
  await store.put(keys.taxonomy(pool), JSON.stringify(taxonomy));
}

/** One attempt at an iteration whose training left a model. */
export interface TrainedAs {
  loop?: string;
  iteration: number;
  /** The ONNX file; its bytes need not be one for commands that only name models. */
  network?: Uint8Array;
  taxonomy?: Taxonomy;
  runId?: string;
  recordedAt?: string;
  miou?: number;
  gate?: Decision['gate'];
  card?: Partial<ModelCard>;
}

/** Record a model that a loop trained, with its files and the gate's decision on it. */
export async function trained(store: ObjectStore, as: TrainedAs): Promise<RegisteredModel> {
  const { loop = 'cars', iteration, taxonomy = TAXONOMY, runId = 'r', gate = 'held', miou = 0.5 } = as;
  const network = as.network ?? new TextEncoder().encode(`${loop} ${iteration} ${runId}`);
  const digest = createHash('sha256').update(network).digest('hex');
  const folder = `loops/${loop}/files/${iteration}-${runId}/`;
  const model = { scan: `${folder}scan.onnx`, card: `${folder}model.json`, digest, loop, iteration };
  await store.put(model.scan, network);
  await store.put(model.card, JSON.stringify({ ...givenCard(taxonomy, 64, digest), valMiou: 0.4, ...as.card }));
  const decision = decisionSchema.parse({
    ...{ version: 1, gate, promoted: false, reasons: ['the gain is too small'], pendingApproval: false },
    ...{ testVersion: 'e'.repeat(64), candidate: model, benchmark: null, candidateMiou: miou, benchmarkMiou: null },
    ...{ gain: null, lower: null, upper: null, detectable: null, units: 1, look: null, alpha: null, slices: [] },
    ...{ lostClasses: [], previousCandidate: null },
  });
  await store.put(`${folder}decision.json`, JSON.stringify(decision));
  const results: StepResults = {
    train: stepResult('train', { scan: model.scan, card: model.card, model: model.scan }),
    evaluate: stepResult('evaluate', {}, { miou, testVersion: 'e'.repeat(64) }),
    decide: stepResult('decide', { decision: `${folder}decision.json` }, { gate }),
  };
  const attempt = { runId, status: 'finished' as const, error: null, config, force: null, results };
  const recordedAt = as.recordedAt ?? `2026-01-0${iteration}T00:00:00Z`;
  await updateLoopState(store, loop, (state) => withAttempt(state, iteration, { ...attempt, recordedAt }));
  return model;
}
