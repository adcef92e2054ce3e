import { type GateConfig, recordedGateConfig } from '../domain/decide/config.js';
import { type Decision, decisionSchema, type RegisteredModel, rivalOf, sameModel } from '../domain/decide/decision.js';
import {
  decisionAgainst,
  decisionFacts,
  firstDecision,
  gainOverPrevious,
  leftOutOfEither,
} from '../domain/decide/decisions.js';
import { decideGate } from '../domain/decide/gate.js';
import { type DecideResult, decideStep } from '../domain/decide/step.js';
import type { DrawResult } from '../domain/draw/step.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import { decisionOccasion } from '../domain/notify/occasion.js';
import type { SampleResult } from '../domain/sample/step.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { type EvaluationRow, evaluationRowSchema, trainingRowSchema } from '../domain/tables.js';
import type { Taxonomy } from '../domain/taxonomy.js';
import { type Evaluation, evaluateModel } from '../inference/evaluation/evaluateModel.js';
import { evaluationLeftOut, evaluationRows } from '../inference/evaluation/evaluationRows.js';
import type { ActivityDeps } from '../steps/deps.js';
import { type Heartbeat, withHeartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { isForced, runStep } from '../steps/runStep.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readRegistry, registerPromotion, takeLook, trainedModel } from '../storage/registry.js';
import { writeJson } from '../storage/tables/json.js';
import { readTable } from '../storage/tables/table.js';
import { noteDecision } from '../tracking/noteIteration.js';

/** All that the gate asks of a training set, which has hundreds of thousands of rows. */
const vehicleSchema = trainingRowSchema.pick({ vehicle: true });

/** Step decide: the candidate against the model in production, on the same test set. */
export function createDecideActivities(deps: ActivityDeps) {
  return { decide: (input: StepInput) => decide(deps, input) };
}

async function decide(deps: ActivityDeps, { context, results }: StepInput): Promise<DecideResult> {
  const { store, log, notify } = deps;
  const { config, iteration, loop } = context;
  const gate = recordedGateConfig(config.gate);
  const { draw, sample, train, evaluate } = neededBy('decide', results, ['draw', 'sample', 'train', 'evaluate']);
  const { taxonomy } = await poolOf(deps, config.pool);
  const taxonomyDigest = digestOfTaxonomy(taxonomy);
  const candidate = await trainedModel(store, train, { loop, iteration });
  const testVersion = factOf(evaluate, 'testVersion') ?? '';
  const rival = rivalOf(await readRegistry(store, taxonomyDigest), candidate);
  const asLook = { testVersion, loop, iteration, candidate: candidate.digest };
  const contest = rival === null ? null : { rival, look: await takeLook(store, taxonomyDigest, asLook) };
  const inputs = {
    evaluate: evaluate.digest,
    benchmark: contest?.rival.digest ?? null,
    look: contest?.look ?? null,
    config: gate,
    seed: config.seed,
    iteration,
  };

  const result = await withHeartbeat((beat) =>
    runStep(store, context, decideStep, inputs, async (attempt) => {
      const images = await evaluationRows(store, outputOf(evaluate, 'images'), { loop, iteration });
      const judged = { testVersion, images, leftOut: await evaluationLeftOut(store, evaluate) };
      const theirs = contest === null ? null : await evaluateRival(deps, context, draw, contest.rival, beat);
      const decision =
        contest === null || theirs === null
          ? firstDecision({ ...judged, candidate, mode: gate.mode, miou: evaluate.facts.miou ?? null })
          : await compare(store, context, { ...judged, ...contest, candidate, taxonomy, theirs, sample, gate });
      const outputs = {
        decision: attempt.key('decision.json'),
        ...(theirs === null ? {} : { benchmarkImages: theirs.images }),
      };
      await writeJson(attempt.store, outputs.decision, decisionSchema.parse(decision));
      return { outputs, facts: decisionFacts(decision, gate) };
    }),
  );

  // After the commit, and harmless if repeated: after a crash in between, the retry carries out the decision.
  if (result.facts.promoted === true) {
    const compared = { candidate, rival };
    const reason = `promoted by loop ${loop}, iteration ${iteration}`;
    const { model } = await registerPromotion(store, taxonomyDigest, compared, reason);
    const facts = { loop, iteration, digest: candidate.digest.slice(0, 12) };
    if (model !== null && sameModel(model, candidate)) log.info(facts, 'the candidate is the benchmark now');
    else log.warn(facts, 'the candidate was the benchmark before, and another model has taken its place since');
  }
  await withHeartbeat(() => noteDecision(deps, context, candidate));
  // Told again at the iteration's end if this worker knows no webhook.
  if (notify !== undefined) await withHeartbeat(() => notify([decisionOccasion(loop, iteration, result)]));
  return result;
}

function evaluateRival(
  deps: ActivityDeps,
  context: IterationContext,
  draw: DrawResult,
  rival: RegisteredModel,
  { report, signal }: Heartbeat,
): Promise<Evaluation> {
  const { config } = context;
  return evaluateModel(deps, {
    pool: config.pool,
    poolVersion: factOf(draw, 'poolVersion'),
    scanKey: rival.scan,
    modelDigest: rival.digest,
    size: config.evaluationSize,
    config,
    again: isForced(context, 'evaluate'),
    signal,
    onProgress: (done, total) =>
      report({ phase: 'judging test images with the model in production', done, total, unit: 'images' }),
  });
}

/** Candidate and model in production on the same test images. */
interface Compared {
  testVersion: string;
  candidate: RegisteredModel;
  images: readonly EvaluationRow[];
  leftOut: readonly LeftOut[];
  rival: RegisteredModel;
  theirs: Evaluation;
  /** Number of this look at the test version, counted from 1. */
  look: number;
  taxonomy: Taxonomy;
  /** Training images of the candidate. */
  sample: SampleResult;
  gate: GateConfig;
}

async function compare(store: ObjectStore, context: IterationContext, compared: Compared): Promise<Decision> {
  const { candidate, rival, theirs, testVersion, images, leftOut, look, taxonomy } = compared;
  const { seed } = context.config;
  const { gate } = compared;
  const rivals = await readTable(store, theirs.images, evaluationRowSchema);
  const trained = await readTable(store, outputOf(compared.sample, 'trainingSet'), vehicleSchema);
  const vehicles = new Set(trained.flatMap((row) => row.vehicle ?? []));
  const verdict = decideGate({
    candidate: images,
    benchmark: rivals,
    leftOut: leftOutOfEither(theirs.leftOut, leftOut),
    taxonomy,
    config: gate,
    look,
    trainedVehicles: vehicles.size === 0 ? null : vehicles,
    seed,
  });
  const previous = await previousRows(store, context, testVersion);
  const previousCandidate =
    previous === null ? null : gainOverPrevious({ candidate: images, previous, taxonomy, gate, look, seed });
  return decisionAgainst(verdict, { candidate, rival, testVersion, previousCandidate, gate });
}

/**
 * The candidate of the iteration before on the same test version; null if it was judged on another, or if there is
 * none.
 */
async function previousRows(
  store: ObjectStore,
  { loop, iteration, previous }: IterationContext,
  testVersion: string,
): Promise<EvaluationRow[] | null> {
  const evaluated = previous?.evaluate;
  if (evaluated === undefined || evaluated.facts.testVersion !== testVersion) return null;
  // An iteration begins when the one before it has finished.
  const before = { loop, iteration: iteration - 1, isEarlier: true };
  return evaluationRows(store, outputOf(evaluated, 'images'), before);
}
