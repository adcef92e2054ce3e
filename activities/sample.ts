import { PartloopError } from '../domain/errors.js';
import { kindsText } from '../domain/leftOut.js';
import { compareWithRandom, sampleComparisonSchema } from '../domain/sampling/compare.js';
import { estimatedWrongShare, sampleChunk } from '../domain/sampling/sampleChunk.js';
import { joinTrainingSet, refreshRows, returningRows } from '../domain/sampling/trainingSet.js';
import type { IterationContext, StepResult, StepResults } from '../domain/steps.js';
import {
  chunkRowSchema,
  findingRowSchema,
  sampleRowSchema,
  scanImageRowSchema,
  trainingRowSchema,
} from '../domain/tables.js';
import { readTable, writeTable } from '../storage/table.js';
import type { ActivityDeps } from './deps.js';
import { withHeartbeat } from './heartbeat.js';
import { withIgnoredRegions } from './ignoredRegions.js';
import { refuseManyLeftOut } from './manyLeftOut.js';
import { poolOf } from './pool.js';
import { runStep } from './step.js';

const VERSION = 1;

/** Step sample: algo2 over the scanned chunk, and the training set it grows. */
export function createSampleActivities(deps: ActivityDeps) {
  const { store } = deps;
  return {
    async sample({ context, results }: { context: IterationContext; results: StepResults }): Promise<StepResult> {
      const { config, iteration } = context;
      const { draw, scan } = results;
      if (draw === undefined || scan === undefined)
        throw new PartloopError('input-invalid', 'step `sample` needs the results of draw and scan');
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
        runStep(store, context, 'sample', VERSION, inputs, async (attempt) => {
          const pool = await poolOf(deps, config.pool);
          const drawn = await readTable(store, outputOf(draw, 'chunk'), chunkRowSchema);
          const scanned = await readTable(store, outputOf(scan, 'images'), scanImageRowSchema);
          const earlier =
            before === undefined ? [] : await readTable(store, outputOf(before, 'trainingSet'), trainingRowSchema);
          const index = await pool.readIndex(versionOf(draw));

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

function outputOf(result: StepResult, name: string): string {
  const key = result.outputs[name];
  if (key === undefined)
    throw new PartloopError(
      'data-invalid',
      `step ${result.step} ${result.digest.slice(0, 12)} has no output \`${name}\``,
    );
  return key;
}

function versionOf(draw: StepResult): number {
  const { poolVersion } = draw.facts;
  if (typeof poolVersion !== 'number')
    throw new PartloopError('data-invalid', `draw ${draw.digest.slice(0, 12)} names no pool version`);
  return poolVersion;
}
