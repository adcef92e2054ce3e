import { PartloopError } from '../domain/base/errors.js';
import { kindsText } from '../domain/images/leftOut.js';
import { compareWithRandom, sampleComparisonSchema } from '../domain/sample/compare.js';
import { estimatedWrongShare, sampleChunk } from '../domain/sample/sampleChunk.js';
import { type SampleResult, sampleStep } from '../domain/sample/step.js';
import { joinTrainingSet, refreshRows, returningRows } from '../domain/sample/trainingSet.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import {
  chunkRowSchema,
  findingRowSchema,
  sampleRowSchema,
  scanImageRowSchema,
  trainingRowSchema,
} from '../domain/tables.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { refuseManyLeftOut } from '../steps/manyLeftOut.js';
import { poolOf } from '../steps/pool.js';
import { runStep } from '../steps/runStep.js';
import { withIgnoredRegions } from '../storage/pictures/ignoredRegions.js';
import { readTable, writeTable } from '../storage/tables/table.js';

/** Step sample: algo2 over the scanned chunk, and the training set it grows. */
export function createSampleActivities(deps: ActivityDeps) {
  const { store } = deps;
  return {
    async sample({ context, results }: { context: IterationContext; results: StepResults }): Promise<SampleResult> {
      const { config, iteration } = context;
      const { draw, scan } = neededBy('sample', results, ['draw', 'scan']);
      const before = context.previous?.sample;
      const inputs = {
        draw: draw.digest,
        scan: scan.digest,
        before: before?.digest ?? null,
        config: config.sample,
        seed: config.seed,
        iteration,
      };

      return withHeartbeat(() =>
        runStep(store, context, sampleStep, inputs, async (attempt) => {
          const pool = await poolOf(deps, config.pool);
          const drawn = await readTable(store, outputOf(draw, 'chunk'), chunkRowSchema);
          const scanned = await readTable(store, outputOf(scan, 'images'), scanImageRowSchema);
          const earlier =
            before === undefined ? [] : await readTable(store, outputOf(before, 'trainingSet'), trainingRowSchema);
          const index = await pool.readIndex(factOf(draw, 'poolVersion'));

          const trainingSet = refreshRows(earlier, index, scanned);
          const chunk = [...drawn, ...returningRows(scanned, drawn, trainingSet, index)];
          const budget = Math.round(config.sample.share * drawn.length);
          const request = {
            chunk,
            scan: scanned,
            trainingSet,
            taxonomy: pool.taxonomy,
            config: config.sample,
            budget,
            seed: config.seed,
            iteration,
          };
          const sample = sampleChunk(request);
          const wanted = joinTrainingSet(trainingSet, chunk, sample.rows, iteration);
          const { rows: joined, leftOut } = await withIgnoredRegions(
            store,
            wanted,
            scanned,
            scanned.some((row) => row.regionsIgnored)
              ? await readTable(store, outputOf(scan, 'findings'), findingRowSchema)
              : [],
            (sha256) => attempt.key(`labels/${sha256}.png`),
          );
          const images = wanted.length;
          const allowance = { images, share: config.badImageShare, what: 'picked', pool: config.pool };
          await refuseManyLeftOut(store, attempt.key('left-out.json'), leftOut, allowance);
          if (joined.length === 0) {
            throw new PartloopError(
              'data-invalid',
              `iteration ${iteration} of loop \`${context.loop}\` has nothing to train on: of ${drawn.length} drawn images none passed the scan`,
              {
                hint: 'Look at the findings; raise `scan.quarantineAt`, or correct labels and import them again.',
              },
            );
          }

          const outputs = {
            sample: attempt.key('sample.parquet'),
            trainingSet: attempt.key('training-set.parquet'),
            comparison: attempt.key('comparison.json'),
            leftOut: attempt.key('left-out.json'),
          };
          await attempt.store.put(outputs.leftOut, JSON.stringify(leftOut, null, 1), 'application/json');
          const comparison = compareWithRandom({
            chunk,
            scan: scanned,
            picked: sample.rows.map((row) => row.imageId),
            random: sample.random,
            taxonomy: pool.taxonomy,
          });
          await writeTable(attempt.store, outputs.sample, sample.rows, sampleRowSchema);
          await writeTable(attempt.store, outputs.trainingSet, joined, trainingRowSchema);
          await attempt.store.put(
            outputs.comparison,
            JSON.stringify(sampleComparisonSchema.parse(comparison), null, 1),
            'application/json',
          );
          return {
            outputs,
            facts: {
              budget,
              candidates: sample.candidates,
              sampled: sample.rows.length,
              random: sample.rows.filter((row) => row.reason === 'random').length,
              trainingSet: joined.length,
              takenOut: earlier.length - trainingSet.length,
              leftOut: leftOut.length,
              leftOutWhy: kindsText(leftOut),
              wrongShareSample: estimatedWrongShare(
                scanned,
                sample.rows.map((row) => row.imageId),
              ),
              wrongShareChunk: estimatedWrongShare(
                scanned,
                drawn.map((row) => row.imageId),
              ),
            },
          };
        }),
      );
    },
  };
}
