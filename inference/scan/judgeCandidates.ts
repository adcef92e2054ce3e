import { benchmarkBefore, type RegisteredModel, registeredModelSchema } from '../../domain/decide/decision.js';
import type { DrawResult } from '../../domain/draw/step.js';
import type { ScanJudge } from '../../domain/messages.js';
import type { JudgeCandidate } from '../../domain/scan/judge/judges.js';
import type { ScanResult } from '../../domain/scan/step.js';
import { outputOf } from '../../domain/stepContract.js';
import type { IterationContext } from '../../domain/steps.js';
import { chunkRowSchema } from '../../domain/tables.js';
import { modelCardSchema, type TrainingList, trainingListSchema } from '../../domain/train/modelCard.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { type Pin, type Pinned, pinned, unpinned } from '../../steps/pins.js';
import { poolOf } from '../../steps/pool.js';
import { digestOfTaxonomy } from '../../storage/digest.js';
import { readLoopState } from '../../storage/loopState.js';
import { readRegistry } from '../../storage/registry.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';

type Seen = NonNullable<JudgeCandidate['seen']>;
const judgedSchema = chunkRowSchema.pick({ imageId: true, vehicleId: true, cluster: true });

const BENCHMARK: Pin<RegisteredModel | null> = {
  name: 'benchmark',
  step: 'scan',
  schema: registeredModelSchema.nullable(),
};

/**
 * Models of this loop so far (fold models first: they are the oldest of their iteration). In iteration 1: the model in
 * production that its scan found, even if another has been promoted since.
 */
export async function judgeCandidates(
  deps: ActivityDeps,
  context: IterationContext,
  draw: DrawResult,
  judge: ScanJudge | undefined,
): Promise<Pinned<JudgeCandidate[]>> {
  const { store } = deps;
  if (judge?.kind === 'cross-validation') return unpinned([]);
  if (judge?.kind === 'model') return unpinned([await judgeCandidate(store, 'given model', judge.scan, judge.card)]);
  if (context.iteration === 1) {
    const { taxonomy } = await poolOf(deps, context.config.pool);
    const { value: model, keep } = await pinned(deps, context, BENCHMARK, async () =>
      benchmarkBefore(await readRegistry(store, digestOfTaxonomy(taxonomy)), context),
    );
    return { value: model === null ? [] : [await judgeCandidate(store, 'benchmark', model.scan, model.card)], keep };
  }
  return unpinned(await judgesOfLoop(deps, context, draw));
}

/**
 * Of each training list only what concerns the drawn images is kept: lists grow with every iteration, and so does their
 * number.
 */
async function judgesOfLoop(
  { store }: ActivityDeps,
  context: IterationContext,
  draw: DrawResult,
): Promise<JudgeCandidate[]> {
  const drawn = seenIn(await readTable(store, outputOf(draw, 'chunk'), judgedSchema));
  const { iterations } = await readLoopState(store, context.loop);
  const earlier = iterations.filter(
    ({ iteration, current }) => iteration < context.iteration && current.status === 'finished',
  );
  const candidates: JudgeCandidate[] = [];
  for (const { iteration, current } of earlier) {
    for (const { scan, card } of foldModels(current.results.scan))
      candidates.push(await judgeCandidate(store, `fold of iteration ${iteration}`, scan, card, drawn));
    const { scan, card } = current.results.train?.outputs ?? {};
    if (scan !== undefined && card !== undefined)
      candidates.push(await judgeCandidate(store, `candidate ${iteration}`, scan, card, drawn));
  }
  return candidates;
}

/** Fold models that a scan left: outputs `fold-<n>-scan` and `fold-<n>-card`. */
function foldModels(scan: ScanResult | undefined): { scan: string; card: string }[] {
  return Object.entries(scan?.outputs ?? {}).flatMap(([name, key]) => {
    const fold = /^fold-(\d+)-scan$/.exec(name)?.[1];
    const card = scan?.outputs[`fold-${fold}-card`];
    return fold === undefined || key === undefined || card === undefined ? [] : [{ scan: key, card }];
  });
}

/** @param drawn what is kept of its training list; all of it if omitted */
async function judgeCandidate(
  store: ActivityDeps['store'],
  name: string,
  scanKey: string,
  cardKey: string,
  drawn?: Seen,
): Promise<JudgeCandidate> {
  const card = await readJson(store, cardKey, modelCardSchema);
  const list = card.trainedOn.list === null ? null : await readJson(store, card.trainedOn.list, trainingListSchema);
  return {
    name,
    scanKey,
    cardKey,
    seen: list === null ? null : seenIn(list.images, drawn),
    valMiou: card.valMiou,
    zeroClasses: Object.values(card.valClassIou).filter((iou) => iou === 0).length,
  };
}

function seenIn(images: Iterable<TrainingList['images'][number]>, drawn?: Seen): Seen {
  const seen = { images: new Set<string>(), vehicles: new Set<string>(), clusters: new Set<string>() };
  for (const { imageId, vehicleId, cluster } of images) {
    if (drawn?.images.has(imageId) !== false) seen.images.add(imageId);
    if (vehicleId !== null && drawn?.vehicles.has(vehicleId) !== false) seen.vehicles.add(vehicleId);
    if (drawn?.clusters.has(cluster) !== false) seen.clusters.add(cluster);
  }
  return seen;
}
