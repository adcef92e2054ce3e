import { PartloopError } from '../domain/base/errors.js';
import type { DrawResult } from '../domain/draw/step.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import { compareWithRandom, type SampleComparison, sampleComparisonSchema } from '../domain/sample/compare.js';
import { type Grown, type GrowRequest, growTrainingSet, sampleFacts } from '../domain/sample/grow.js';
import { type SampleResult, sampleStep } from '../domain/sample/step.js';
import type { ScanResult } from '../domain/scan/step.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import {
  chunkRowSchema,
  findingRowSchema,
  sampleRowSchema,
  scanImageRowSchema,
  type TrainingRow,
  trainingRowSchema,
} from '../domain/tables.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { refuseManyLeftOut } from '../steps/manyLeftOut.js';
import { poolOf } from '../steps/pool.js';
import { type Attempt, runStep } from '../steps/runStep.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { withIgnoredRegions } from '../storage/pictures/ignoredRegions.js';
import { writeJson } from '../storage/tables/json.js';
import { readTable, writeTable } from '../storage/tables/table.js';

/** Step sample: picks from the scanned chunk, and the larger training set. */
export function createSampleActivities(deps: ActivityDeps) {
  return { sample: (input: StepInput) => sample(deps, input) };
}

async function sample(deps: ActivityDeps, { context, results }: StepInput): Promise<SampleResult> {
  const { store } = deps;
  const { config, iteration } = context;
  const { draw, scan } = neededBy('sample', results, ['draw', 'scan']);
  const inputs = {
    draw: draw.digest,
    scan: scan.digest,
    before: context.previous?.sample.digest ?? null,
    config: config.sample,
    seed: config.seed,
    iteration,
  };

  return withHeartbeat(() =>
    runStep(store, context, sampleStep, inputs, async (attempt) => {
      const request = await readRequest(deps, context, draw, scan);
      const { drawn, scanned, taxonomy } = request;
      const grown = growTrainingSet(request);
      const findings = scanned.some((row) => row.regionsIgnored)
        ? await readTable(store, outputOf(scan, 'findings'), findingRowSchema)
        : [];
      const { rows: joined, leftOut } = await withIgnoredRegions(store, grown.wanted, scanned, findings, (sha256) =>
        attempt.key(`labels/${sha256}.png`),
      );
      const images = grown.wanted.length;
      const allowance = { images, share: config.badImageShare, what: 'picked', pool: config.pool };
      await refuseManyLeftOut(store, attempt.key('left-out.json'), leftOut, allowance);
      if (joined.length === 0) throw nothingToTrainOn(context, drawn.length);

      const comparison = compareWithRandom({
        chunk: grown.chunk,
        scan: scanned,
        picked: grown.sample.rows.map((row) => row.imageId),
        random: grown.sample.random,
        taxonomy,
      });
      const outputs = await writeSample(attempt, grown, { joined, leftOut, comparison });
      return { outputs, facts: sampleFacts(request, grown, { trainingSet: joined.length, leftOut }) };
    }),
  );
}

async function readRequest(
  deps: ActivityDeps,
  { config, iteration, previous }: IterationContext,
  draw: DrawResult,
  scan: ScanResult,
): Promise<GrowRequest> {
  const { store } = deps;
  const pool = await poolOf(deps, config.pool);
  const drawn = await readTable(store, outputOf(draw, 'chunk'), chunkRowSchema);
  const scanned = await readTable(store, outputOf(scan, 'images'), scanImageRowSchema);
  const earlier = await readEarlier(store, previous?.sample);
  const known = new Set([...earlier, ...scanned].map(({ imageId }) => imageId));
  const index = await pool.readImages(factOf(draw, 'poolVersion'), known);
  const { taxonomy } = pool;
  return { drawn, scanned, earlier, index, taxonomy, config: config.sample, seed: config.seed, iteration };
}

async function readEarlier(store: ObjectStore, before: SampleResult | undefined): Promise<TrainingRow[]> {
  return before === undefined ? [] : readTable(store, outputOf(before, 'trainingSet'), trainingRowSchema);
}

function nothingToTrainOn({ loop, iteration }: IterationContext, drawn: number): PartloopError {
  return new PartloopError(
    'data-invalid',
    `iteration ${iteration} of loop \`${loop}\` has nothing to train on: none of ${drawn} drawn images passed the scan`,
    { hint: 'Look at the findings; raise `scan.quarantineAt`, or correct labels and import them again.' },
  );
}

async function writeSample(
  { store, key }: Attempt,
  { sample: { rows } }: Grown,
  found: { joined: readonly TrainingRow[]; leftOut: readonly LeftOut[]; comparison: SampleComparison },
) {
  const outputs = {
    sample: key('sample.parquet'),
    trainingSet: key('training-set.parquet'),
    comparison: key('comparison.json'),
    leftOut: key('left-out.json'),
  };
  await writeJson(store, outputs.leftOut, found.leftOut);
  await writeTable(store, outputs.sample, rows, sampleRowSchema);
  await writeTable(store, outputs.trainingSet, found.joined, trainingRowSchema);
  await writeJson(store, outputs.comparison, sampleComparisonSchema.parse(found.comparison));
  return outputs;
}
