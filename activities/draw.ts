import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import { countUndrawn, type DrawnChunk } from '../domain/draw/drawChunk.js';
import {
  drawFacts,
  drawnSchema,
  drawnSoFar,
  stillCopies,
  type TestCopy,
  testCopiesSchema,
} from '../domain/draw/drawn.js';
import { type DrawResult, drawStep } from '../domain/draw/step.js';
import type { LeftOut } from '../domain/images/leftOut.js';
import { previousResults } from '../domain/loop/iterationStart.js';
import { nextIteration } from '../domain/loop/state.js';
import type { SplitChoice } from '../domain/scan/judge/split.js';
import { outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepInput } from '../domain/steps.js';
import { type ChunkRow, chunkRowSchema } from '../domain/tables.js';
import { type DrawnImages, drawImages } from '../pool/drawImages.js';
import { applyAnswered, countCorrected } from '../pool/review/propagate/unattended.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { refuseManyLeftOut } from '../steps/manyLeftOut.js';
import { type Pin, type Pinned, pinned, recordedResults, unpinned } from '../steps/pins.js';
import { poolOf } from '../steps/pool.js';
import { type Attempt, runStep } from '../steps/runStep.js';
import { readLoopState } from '../storage/loopState.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { type HeadedRows, headRows } from '../storage/pool/headRows.js';
import type { Pool } from '../storage/pool/pool.js';
import { readJson, writeJson } from '../storage/tables/json.js';
import { writeTable } from '../storage/tables/table.js';

const POOL_VERSION: Pin<number> = { name: 'pool-version', step: 'draw', schema: z.number().int().positive() };

interface DrawInput extends StepInput {
  /** Given by a scan that belongs to no loop. */
  split?: SplitChoice;
  /** For such a scan: the pool may have been repaired before a retry, so each try draws from the newest version. */
  isAlone?: boolean;
}

/** Step draw: a chunk of images that this loop has not seen, with every object known to be there. */
export function createDrawActivities(deps: ActivityDeps) {
  return {
    draw: (input: DrawInput) => draw(deps, input),
    countUndrawn: (input: { loop: string; pool: string }) => countUndrawnImages(deps, input),
  };
}

async function draw(deps: ActivityDeps, { context, split = 'train', isAlone = false }: DrawInput): Promise<DrawResult> {
  const { store } = deps;
  const { iteration } = context;
  const { pool: name, chunkSize, seed } = context.config;
  const pool = await poolOf(deps, name);
  const { value: poolVersion, keep: keepVersion } = isAlone
    ? unpinned(await newestVersion(deps, context, pool, isAlone))
    : await versionFor(deps, context, pool);
  const before = context.previous?.draw;
  const inputs = {
    pool: name,
    poolVersion,
    chunkSize,
    seed,
    iteration,
    before: before?.digest ?? null,
    // Omitted if a loop draws, so that earlier draws are found done.
    ...(split === 'train' ? {} : { split }),
  };

  return withHeartbeat(({ report, signal }) =>
    runStep(store, context, drawStep, inputs, async (attempt) => {
      const drawnBefore = await readDrawn(store, before);
      const request = { drawnBefore, chunkSize, seed, iteration, split };
      const { index, chunk, rows, testCopies, notCompared } = await drawImages(pool, poolVersion, request, {
        ...{ store, signal, knownCopies: await readCopies(store, before) },
        onProgress: (phase, done, total) => report({ phase, done, total, unit: 'images' }),
      });
      if (notCompared.length > 0)
        deps.log.warn(
          { images: notCompared.length, first: notCompared[0] },
          'images that cannot be read were not compared with test images',
        );
      const found = await headRows(store, rows, {
        signal,
        onProgress: (done) => report({ phase: 'looking for images', done, total: rows.length, unit: 'images' }),
      });
      await refuseManyMissing(deps, context, attempt, found);
      const outputs = await writeDraw(attempt, found, {
        ...{ leftOut: chunk.leftOut, testCopies, notCompared },
        drawn: drawnSoFar(drawnBefore, found.present, index),
      });
      await keepVersion();
      const facts = drawFacts(chunk, found, { poolVersion, split, poolImages: index.ids.count });
      if (context.config.scan.autoCorrect !== 'apply') return { outputs, facts };
      return { outputs, facts: { ...facts, corrected: await countCorrected(store, context) } };
    }),
  );
}

/** Images of the pool's newest version that the loop's next iteration could draw. */
async function countUndrawnImages(
  deps: ActivityDeps,
  { loop, pool: name }: { loop: string; pool: string },
): Promise<{ undrawn: number }> {
  return withHeartbeat(async () => {
    const state = await readLoopState(deps.store, loop);
    const before = previousResults(state, nextIteration(state))?.draw;
    const drawn = await readDrawn(deps.store, before);
    const pool = await poolOf(deps, name);
    const index = await pool.readDrawColumns(await pool.latestVersion());
    const copies = stillCopies(await readCopies(deps.store, before), index);
    return { undrawn: countUndrawn(index, drawn, new Set(copies.map(({ imageId }) => imageId))) };
  });
}

/** The newest version when the iteration drew; a replay from draw takes the newest of today. */
async function versionFor(deps: ActivityDeps, context: IterationContext, pool: Pool): Promise<Pinned<number>> {
  const recorded = (await recordedResults(deps, context, 'draw')).draw?.facts.poolVersion;
  return recorded === undefined
    ? pinned(deps, context, POOL_VERSION, () => newestVersion(deps, context, pool))
    : unpinned(recorded);
}

/**
 * The newest version, with the corrections that follow from answers. They are written here alone: an iteration that has
 * a version already never looks again.
 */
async function newestVersion(deps: ActivityDeps, context: IterationContext, pool: Pool, isAlone = false) {
  const { store, log } = deps;
  const onFault = (scan: string, error: Error) =>
    log.warn({ scan, error: error.message }, 'the corrections that follow from the answers to a scan are left out');
  if (context.config.scan.autoCorrect === 'apply')
    await withHeartbeat(() => applyAnswered(store, context, { isAlone, now: new Date(), onFault }));
  return pool.latestVersion();
}

async function readDrawn(store: ObjectStore, before: DrawResult | undefined): Promise<Set<string>> {
  if (before === undefined) return new Set();
  return new Set((await readJson(store, outputOf(before, 'drawn'), drawnSchema)).images);
}

async function readCopies(store: ObjectStore, before: DrawResult | undefined): Promise<TestCopy[]> {
  if (before === undefined) return [];
  return (await readJson(store, outputOf(before, 'missing'), testCopiesSchema)).testCopies;
}

async function refuseManyMissing(
  { store, log }: ActivityDeps,
  { config: { pool, badImageShare: share } }: IterationContext,
  attempt: Attempt,
  { present, missing }: HeadedRows<ChunkRow>,
): Promise<void> {
  if (present.length === 0) throw nonePresent(missing, pool);
  const images = present.length + missing.length;
  await refuseManyLeftOut(store, attempt.key('missing.json'), missing, { images, share, what: 'drawn', pool });
  if (missing.length === 0) return;
  log.warn({ missing: missing.length, first: missing[0] }, 'drawn images that are missing or changed are left out');
}

function nonePresent(missing: readonly LeftOut[], pool: string): PartloopError {
  const [first] = missing;
  return new PartloopError(
    'not-found',
    `none of the ${missing.length} drawn images is where pool \`${pool}\` says, e.g. ${first?.fileName}: ${first?.reason}`,
    { hint: 'Check that the bucket of the images is reachable with these credentials.' },
  );
}

async function writeDraw(
  { store, key }: Attempt,
  { present, missing }: HeadedRows<ChunkRow>,
  {
    drawn,
    ...rest
  }: Pick<DrawnChunk, 'leftOut'> & Pick<DrawnImages, 'testCopies' | 'notCompared'> & { drawn: readonly string[] },
) {
  const outputs = { chunk: key('chunk.parquet'), missing: key('missing.json'), drawn: key('drawn.json') };
  await writeTable(store, outputs.chunk, present, chunkRowSchema);
  await writeJson(store, outputs.missing, { missing, ...rest });
  await store.put(outputs.drawn, JSON.stringify({ images: drawn }), 'application/json');
  return outputs;
}
