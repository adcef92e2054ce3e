import { PartloopError } from '../domain/base/errors.js';
import type { DrawResult } from '../domain/draw/step.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import { type JudgedRow, judgedRowSchema, offeredRowSchema } from '../domain/sample/columns.js';
import { compareWithRandom, type SampleComparison, sampleComparisonSchema } from '../domain/sample/compare.js';
import { recordedSampleConfig, settingsOfPicks } from '../domain/sample/config.js';
import { type Grown, type GrowRequest, growTrainingSet, sampleFacts } from '../domain/sample/grow.js';
import { type SampleResult, sampleStep } from '../domain/sample/step.js';
import { returningImages } from '../domain/sample/trainingSet.js';
import type { ScanResult } from '../domain/scan/step.js';
import { factOf, neededBy, outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { type ChunkRow, findingRowSchema, sampleRowSchema } from '../domain/tables.js';
import {
  type GrownTrainingSet,
  rowsOf,
  withRows,
  withScannedTags,
  writeTrainingSet,
} from '../pool/grownTrainingSet.js';
import { readTrainingSet } from '../pool/trainingSet.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { refuseManyLeftOut } from '../steps/manyLeftOut.js';
import { poolOf } from '../steps/pool.js';
import { type Attempt, runStep } from '../steps/runStep.js';
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
    config: settingsOfPicks(config.sample),
    seed: config.seed,
    iteration,
  };

  return withHeartbeat(() =>
    runStep(store, context, sampleStep, inputs, async (attempt) => {
      const { request, before } = await readRequest(deps, context, draw, scan);
      const { drawn, scanned, taxonomy } = request;
      const grown = growTrainingSet(request);
      const wanted: GrownTrainingSet = {
        ...before,
        ...{ chunk: outputOf(draw, 'chunk'), picked: grown.added, pickedIn: iteration },
        rows: [
          ...before.rows,
          ...before.returning.flatMap((row) => (grown.added.has(row.imageId) ? { ...row, pickedIn: iteration } : [])),
        ],
      };
      const tagged = await withScannedTags(store, wanted, grown.chunk, scanned);
      const { joined, leftOut } = await withoutRegions(attempt, tagged, scan, scanned);
      const images = request.trainingSet.count + grown.added.size;
      const allowance = { images, share: config.badImageShare, what: 'picked', pool: config.pool };
      await refuseManyLeftOut(store, attempt.key('left-out.json'), leftOut, allowance);
      const trainingSet = images - leftOut.length;
      if (trainingSet === 0) throw nothingToTrainOn(context, drawn.length);

      const comparison = compareWithRandom({
        chunk: grown.chunk,
        scan: scanned,
        picked: grown.sample.rows.map((row) => row.imageId),
        random: grown.sample.random,
        taxonomy,
        focus: request.config.focus,
      });
      const outputs = await writeSample(attempt, grown, { joined, leftOut, comparison });
      return { outputs, facts: sampleFacts(request, grown, { trainingSet, leftOut }) };
    }),
  );
}

/** The images that may be trained on but for the drawn ones. */
type Before = Pick<GrownTrainingSet, 'earlier' | 'stale' | 'rows'> & { returning: readonly ChunkRow[] };

async function readRequest(
  deps: ActivityDeps,
  { config, iteration, previous }: IterationContext,
  draw: DrawResult,
  scan: ScanResult,
): Promise<{ request: GrowRequest; before: Before }> {
  const { store } = deps;
  const pool = await poolOf(deps, config.pool);
  const drawn = await readTable(store, outputOf(draw, 'chunk'), offeredRowSchema);
  const scanned = await readTable(store, outputOf(scan, 'images'), judgedRowSchema);
  const version = factOf(draw, 'poolVersion');
  const quarantined = new Set(scanned.flatMap((row) => (row.quarantined ? [row.imageId] : [])));
  const key = previous === null ? undefined : outputOf(previous.sample, 'trainingSet');
  const current = await readTrainingSet(store, { pool, version }, key, quarantined);
  const { images: trainingSet, earlier, stale, changed } = current;
  const own = new Set(drawn.map(({ imageId }) => imageId));
  const others = scanned.flatMap(({ imageId }) => (own.has(imageId) ? [] : imageId));
  const states = await pool.readStates(version, others);
  const images = returningImages(scanned, drawn, trainingSet, states);
  const rows = images.size === 0 ? [] : await pool.readImages(version, images);
  const returning = rows.map((row) => ({ ...row, cluster: row.imageId }));
  const { taxonomy } = pool;
  const asked = { taxonomy, config: recordedSampleConfig(config.sample), seed: config.seed, iteration };
  const request = { drawn, scanned, earlier, trainingSet, returning, ...asked };
  return { request, before: { earlier: key, stale, rows: changed, returning } };
}

/** A training set in which images with ignored regions have labels of their own; unreadable ones are out. */
async function withoutRegions(
  { store, key }: Attempt,
  wanted: GrownTrainingSet,
  scan: ScanResult,
  scanned: readonly JudgedRow[],
): Promise<{ joined: GrownTrainingSet; leftOut: LeftOut[] }> {
  const suspect = new Set(scanned.flatMap(({ imageId, regionsIgnored }) => (regionsIgnored ? [imageId] : [])));
  if (suspect.size === 0) return { joined: wanted, leftOut: [] };
  const findings = await readTable(store, outputOf(scan, 'findings'), findingRowSchema);
  const rows = await rowsOf(store, wanted, suspect);
  const changed = await withIgnoredRegions(store, rows, scanned, findings, (sha256) => key(`labels/${sha256}.png`));
  return { joined: withRows(wanted, changed.rows, changed.leftOut), leftOut: changed.leftOut };
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
  found: { joined: GrownTrainingSet; leftOut: readonly LeftOut[]; comparison: SampleComparison },
) {
  const outputs = {
    sample: key('sample.parquet'),
    trainingSet: key('training-set.parquet'),
    comparison: key('comparison.json'),
    leftOut: key('left-out.json'),
  };
  await writeJson(store, outputs.leftOut, found.leftOut);
  await writeTable(store, outputs.sample, rows, sampleRowSchema);
  await writeTrainingSet(store, outputs.trainingSet, found.joined);
  await writeJson(store, outputs.comparison, sampleComparisonSchema.parse(found.comparison));
  return outputs;
}
