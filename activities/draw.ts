import { z } from 'zod';
import { PartloopError } from '../domain/base/errors.js';
import { sha256Schema } from '../domain/base/ids.js';
import { drawChunk } from '../domain/draw/drawChunk.js';
import { type DrawResult, drawStep } from '../domain/draw/step.js';
import { kindsText, type LeftOut } from '../domain/images/leftOut.js';
import type { SplitChoice } from '../domain/scan/split.js';
import { outputOf } from '../domain/stepContract.js';
import type { IterationContext, StepResults } from '../domain/steps.js';
import { type ChunkRow, chunkRowSchema } from '../domain/tables.js';
import type { ActivityDeps } from '../steps/deps.js';
import { withHeartbeat } from '../steps/heartbeat.js';
import { refuseManyLeftOut } from '../steps/manyLeftOut.js';
import { type Pin, type Pinned, pinned, recordedResults, unpinned } from '../steps/pins.js';
import { poolOf } from '../steps/pool.js';
import { runStep } from '../steps/runStep.js';
import { headRow } from '../storage/headRow.js';
import { forEachLimited } from '../storage/parallel.js';
import { readJson } from '../storage/tables/json.js';
import { writeTable } from '../storage/tables/table.js';

const HEADS_IN_FLIGHT = 48;
/** Images between two reports of progress. */
const TOLD_EVERY = 500;
const POOL_VERSION: Pin<number> = { name: 'pool-version', step: 'draw', schema: z.number().int().positive() };

/** Every image a loop has drawn so far: `drawn.json`. */
const drawnSchema = z.object({ images: z.array(sha256Schema) });

/** Step draw: a chunk of images that this loop has not seen, with every object known to be there. */
export function createDrawActivities(deps: ActivityDeps) {
  const { store, log } = deps;
  return {
    async draw({
      context,
      split = 'train',
      isAlone = false,
    }: {
      context: IterationContext;
      results: StepResults;
      /** Asked for by a scan that belongs to no loop. */
      split?: SplitChoice;
      /** For such a scan: who resumes it may have mended the pool, so that each try draws from the newest version. */
      isAlone?: boolean;
    }): Promise<DrawResult> {
      const { pool: name, chunkSize, seed } = context.config;
      const pool = await poolOf(deps, name);
      const latest = (): Promise<number> => pool.latestVersion();
      const { value: poolVersion, keep: keepVersion } = isAlone
        ? unpinned(await latest())
        : await versionFor(context, latest);
      const before = context.previous?.draw;
      const inputs = {
        pool: name,
        poolVersion,
        chunkSize,
        seed,
        iteration: context.iteration,
        before: before?.digest ?? null,
        // Left out where loops draw, so that earlier draws are found done.
        ...(split === 'train' ? {} : { split }),
      };

      return withHeartbeat(({ report, signal }) =>
        runStep(store, context, drawStep, inputs, async (attempt) => {
          const drawnBefore = await readDrawn(before);
          const index = await pool.readIndex(poolVersion);
          const { iteration } = context;
          const chunk = drawChunk({ index, drawnBefore, chunkSize, seed, iteration, pool: name, split });
          const { present, missing } = await findMissing(chunk.rows, signal, (done) =>
            report({ phase: 'looking for images', done, total: chunk.rows.length, unit: 'images' }),
          );
          if (present.length === 0) {
            const first = missing[0];
            throw new PartloopError(
              'not-found',
              `none of the ${missing.length} drawn images is where pool \`${name}\` says, e.g. ${first?.fileName}: ${first?.reason}`,
              {
                hint: 'Check that the bucket of the images is reachable with these credentials.',
              },
            );
          }
          await refuseManyLeftOut(store, attempt.key('missing.json'), missing, {
            images: chunk.rows.length,
            share: context.config.badImageShare,
            what: 'drawn',
            pool: name,
          });
          if (missing.length > 0)
            log.warn(
              { missing: missing.length, first: missing[0] },
              'drawn images that are missing or changed are left out',
            );

          const { leftOut } = chunk;
          const outputs = {
            chunk: attempt.key('chunk.parquet'),
            missing: attempt.key('missing.json'),
            drawn: attempt.key('drawn.json'),
          };
          // What is out of the pool is out of the training set too: where it comes back, it is drawn anew.
          const isThere = new Set(index.map((row) => row.imageId));
          const drawn = [...drawnBefore]
            .filter((imageId) => isThere.has(imageId))
            .concat(present.map((row) => row.imageId))
            .sort();
          await writeTable(attempt.store, outputs.chunk, present, chunkRowSchema);
          await attempt.store.put(outputs.missing, JSON.stringify({ missing, leftOut }, null, 1), 'application/json');
          await attempt.store.put(outputs.drawn, JSON.stringify({ images: drawn }), 'application/json');
          await keepVersion();
          return {
            outputs,
            facts: {
              drawn: present.length,
              poolVersion,
              remaining: chunk.remaining,
              missing: missing.length,
              missingWhy: kindsText(missing),
              testImages: chunk.testImages,
              split,
              poolImages: index.length,
              otherTrain: leftOut.otherTrain,
              otherVal: leftOut.otherVal,
              otherTest: leftOut.otherTest,
              interior: leftOut.interior,
              heldBack: leftOut.testVehicle + leftOut.testCopy,
              drawnBefore: leftOut.drawnBefore,
            },
          };
        }),
      );
    },
  };

  /** The newest version when the iteration drew; a replay from draw takes the newest of today. */
  async function versionFor(context: IterationContext, latest: () => Promise<number>): Promise<Pinned<number>> {
    const recorded = (await recordedResults(deps, context, 'draw')).draw?.facts.poolVersion;
    return recorded === undefined ? pinned(deps, context, POOL_VERSION, latest) : unpinned(recorded);
  }

  async function readDrawn(before: DrawResult | undefined): Promise<Set<string>> {
    if (before === undefined) return new Set();
    return new Set((await readJson(store, outputOf(before, 'drawn'), drawnSchema)).images);
  }

  async function findMissing(
    rows: readonly ChunkRow[],
    signal: AbortSignal,
    onProgress: (done: number) => void,
  ): Promise<{ present: ChunkRow[]; missing: LeftOut[] }> {
    const problems: Awaited<ReturnType<typeof headRow>>[] = new Array(rows.length).fill(null);
    let found = 0;
    const look = async (row: ChunkRow, position: number): Promise<void> => {
      problems[position] = await headRow(store, row);
      if (++found % TOLD_EVERY === 0 || found === rows.length) onProgress(found);
    };
    await forEachLimited(rows, HEADS_IN_FLIGHT, look, signal);
    return {
      present: rows.filter((_, position) => problems[position] === null),
      missing: rows.flatMap(({ imageId, fileName }, position) => {
        const problem = problems[position];
        return problem == null ? [] : [{ imageId, fileName, ...problem }];
      }),
    };
  }
}
