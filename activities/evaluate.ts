import { type EvaluateResult, evaluateStep } from '../domain/evaluate/step.js';
import { evaluationSummarySchema } from '../domain/evaluate/summary.js';
import { kindsText } from '../domain/images/leftOut.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import { modelCardSchema } from '../domain/train/modelCard.js';
import { evaluateModel } from '../inference/evaluation/evaluateModel.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { isForced, runStep } from '../steps/runStep.js';
import { readJson } from '../storage/tables/json.js';

/** Step evaluate: the candidate on the frozen test set, through the same ONNX file that scans. */
export function createEvaluateActivities(deps: ActivityDeps) {
  return {
    async evaluate({ context, results }: { context: IterationContext; results: StepResults }): Promise<EvaluateResult> {
      const { config } = context;
      const { draw, train } = neededBy('evaluate', results, ['draw', 'train']);
      const poolVersion = factOf(draw, 'poolVersion');
      const scanKey = outputOf(train, 'scan');
      const modelDigest = (await readJson(deps.store, outputOf(train, 'card'), modelCardSchema)).files.scan;
      const inputs = {
        model: modelDigest,
        poolVersion,
        pool: config.pool,
        size: config.evaluationSize,
        threads: config.scan.threadsPerSession,
      };
      return withHeartbeat((beat) =>
        runStep(deps.store, context, evaluateStep, inputs, async () => {
          const { images, summary, leftOut, testVersion } = await evaluateModel(deps, {
            pool: config.pool,
            poolVersion,
            scanKey,
            modelDigest,
            size: config.evaluationSize,
            config,
            again: isForced(context, 'evaluate'),
            signal: beat.signal,
            onProgress: (done, total) => beat.report({ phase: 'judging test images', done, total, unit: 'images' }),
          });
          const {
            miou,
            majorMiou,
            minorMiou,
            imageMiou,
            boundaryIou,
            calibrationError,
            images: count,
          } = await readJson(deps.store, summary, evaluationSummarySchema);
          const figures = { miou, majorMiou, minorMiou, imageMiou, boundaryIou, calibrationError };
          const lost = { leftOut: leftOut.length, leftOutWhy: kindsText(leftOut) };
          return { outputs: { images, summary }, facts: { ...figures, images: count, ...lost, testVersion } };
        }),
      );
    },
  };
}
