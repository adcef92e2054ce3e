import { bounds, comparePaired } from '../domain/decide/bootstrap.js';
import { type Decision, decisionSchema, type RegisteredModel, rivalOf, withLook } from '../domain/decide/decision.js';
import { decisionAgainst, firstDecision } from '../domain/decide/decisions.js';
import { decideGate, spentAlpha } from '../domain/decide/gate.js';
import { type DecideResult, decideStep } from '../domain/decide/step.js';
import type { EvaluateResult } from '../domain/evaluate/step.js';
import { evaluationSummarySchema } from '../domain/evaluate/summary.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import { type EvaluationRow, evaluationRowSchema, trainingRowSchema } from '../domain/tables.js';
import { modelCardSchema } from '../domain/train/modelCard.js';
import type { TrainResult } from '../domain/train/step.js';
import { type Evaluation, evaluateModel } from '../inference/evaluation/evaluateModel.js';
import { evaluationRows } from '../inference/evaluation/evaluationRows.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { poolOf } from '../steps/pool.js';
import { isForced, runStep } from '../steps/runStep.js';
import { digestOfTaxonomy } from '../storage/digest.js';
import { readRegistry, registerBenchmark, updateRegistry } from '../storage/registry.js';
import { readJson } from '../storage/tables/json.js';
import { readTable } from '../storage/tables/table.js';

/** Step decide: the candidate against the model in production, on the same test set. */
export function createDecideActivities(deps: ActivityDeps) {
  const { store, log } = deps;
  return {
    async decide({ context, results }: { context: IterationContext; results: StepResults }): Promise<DecideResult> {
      const { config, iteration, loop } = context;
      const { draw, sample, train, evaluate } = neededBy('decide', results, ['draw', 'sample', 'train', 'evaluate']);
      const pool = await poolOf(deps, config.pool);
      const taxonomyDigest = digestOfTaxonomy(pool.taxonomy);
      const candidate = await candidateOf(train, loop, iteration);
      const testVersion = factOf(evaluate, 'testVersion') ?? '';
      const benchmark = rivalOf(await readRegistry(store, taxonomyDigest), candidate);
      const look =
        benchmark === null
          ? null
          : await takeLook(taxonomyDigest, { testVersion, loop, iteration, candidate: candidate.digest });
      const inputs = {
        evaluate: evaluate.digest,
        benchmark: benchmark?.digest ?? null,
        look,
        config: config.gate,
        seed: config.seed,
        iteration,
      };

      const result = await withHeartbeat(({ report, signal }) =>
        runStep(store, context, decideStep, inputs, async (attempt) => {
          const rows = await evaluationRows(store, outputOf(evaluate, 'images'), { loop, iteration });
          const lost = await leftOutOf(evaluate);
          const judged = benchmark === null ? null : await evaluateRival(benchmark, signal);
          const decision =
            benchmark === null || look === null || judged === null
              ? firstDecision({
                  ...{ candidate, testVersion, mode: config.gate.mode, miou: evaluate.facts.miou ?? null },
                  ...{ images: rows, leftOut: lost },
                })
              : await compare(benchmark, look, judged);
          const outputs = {
            decision: attempt.key('decision.json'),
            ...(judged === null ? {} : { benchmarkImages: judged.images }),
          };
          await attempt.store.put(
            outputs.decision,
            JSON.stringify(decisionSchema.parse(decision), null, 1),
            'application/json',
          );
          return {
            outputs,
            facts: {
              gate: decision.gate,
              gain: decision.gain,
              lower: decision.lower,
              upper: decision.upper,
              benchmarkMiou: decision.benchmarkMiou,
              promoted: decision.promoted,
              pendingApproval: decision.pendingApproval,
              images: decision.images,
              leftOut: decision.leftOut.length,
            },
          };

          function evaluateRival(rival: RegisteredModel, cancelled: AbortSignal): Promise<Evaluation> {
            return evaluateModel(deps, {
              pool: config.pool,
              poolVersion: factOf(draw, 'poolVersion'),
              scanKey: rival.scan,
              modelDigest: rival.digest,
              size: config.evaluationSize,
              config,
              again: isForced(context, 'evaluate'),
              signal: cancelled,
              onProgress: (done, total) =>
                report({ phase: 'judging test images with the model in production', done, total, unit: 'images' }),
            });
          }

          async function compare(rival: RegisteredModel, number: number, theirs: Evaluation): Promise<Decision> {
            const rivals = await readTable(store, theirs.images, evaluationRowSchema);
            const trained = await readTable(store, outputOf(sample, 'trainingSet'), trainingRowSchema);
            const vehicles = new Set(trained.flatMap((row) => row.vehicle ?? []));
            const verdict = decideGate({
              candidate: rows,
              benchmark: rivals,
              leftOut: [...new Map([...theirs.leftOut, ...lost].map((image) => [image.imageId, image])).values()],
              taxonomy: pool.taxonomy,
              config: config.gate,
              look: number,
              trainedVehicles: vehicles.size === 0 ? null : vehicles,
              seed: config.seed,
            });
            const previousCandidate = await againstPrevious(
              context,
              rows,
              testVersion,
              number,
              pool.taxonomy.classes.length,
            );
            const compared = { candidate, rival, testVersion, previousCandidate, gate: config.gate };
            return decisionAgainst(verdict, compared);
          }
        }),
      );

      // After the commit, and harmless when repeated: a crash in between leaves a decision that the retry carries out.
      if (result.facts.promoted === true) {
        await registerBenchmark(store, taxonomyDigest, candidate, `promoted by loop ${loop}, iteration ${iteration}`);
        log.info({ loop, iteration, digest: candidate.digest.slice(0, 12) }, 'the candidate is the benchmark now');
      }
      return result;
    },
  };

  async function candidateOf(train: TrainResult, loop: string, iteration: number): Promise<RegisteredModel> {
    const card = await readJson(store, outputOf(train, 'card'), modelCardSchema);
    return { scan: outputOf(train, 'scan'), card: outputOf(train, 'card'), digest: card.files.scan, loop, iteration };
  }

  /** Test images that the candidate could not be judged on; an evaluation of before this was written down judged all. */
  async function leftOutOf({ outputs: { summary } }: EvaluateResult): Promise<LeftOut[]> {
    return summary === undefined ? [] : (await readJson(store, summary, evaluationSummarySchema)).leftOut;
  }

  async function takeLook(
    taxonomyDigest: string,
    look: { testVersion: string; loop: string; iteration: number; candidate: string },
  ): Promise<number> {
    const registry = await updateRegistry(store, taxonomyDigest, (current) => withLook(current, look).registry);
    return withLook(registry, look).number;
  }

  async function againstPrevious(
    context: IterationContext,
    rows: readonly EvaluationRow[],
    testVersion: string,
    look: number,
    classes: number,
  ): Promise<Decision['previousCandidate']> {
    const previous = context.previous?.evaluate;
    if (previous === undefined || previous.facts.testVersion !== testVersion) return null;
    const { loop, iteration } = context;
    // An iteration begins when the one before it has finished.
    const before = await evaluationRows(store, outputOf(previous, 'images'), {
      ...{ loop, iteration: iteration - 1 },
      isEarlier: true,
    });
    const { gate, seed } = context.config;
    const comparison = comparePaired({
      candidate: rows,
      benchmark: before,
      metric: 'region',
      labels: Array.from({ length: classes }, (_, index) => index + 1),
      resamples: gate.resamples,
      seed: [seed, 'previous candidate'],
    });
    return { gain: comparison.gain, ...bounds(comparison, spentAlpha(gate.alpha, look)) };
  }
}
