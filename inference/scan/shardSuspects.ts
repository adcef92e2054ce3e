import type { ChunkRow } from '../../domain/tables.js';
import { TRIES } from '../../storage/pictures/helperProcess.js';
import { readImage, readLabel } from '../../storage/pictures/imageSource.js';
import { JudgeProcess } from '../judge/judgeProcess.js';
import { judgeSuspects } from '../judge/suspects.js';
import { orNamed, type ScannedImage } from '../sessions/scanPipeline.js';
import { type ShardJob, settle } from './shardJob.js';

/** Number of other pictures that show whether the model is at fault. */
const CONTROLS = 2;

/**
 * After an attempt that ended without a report: its images in hand are judged one by one in separate processes, and
 * images that end these repeatedly are left out. After `TRIES` such attempts the whole shard is judged in this way.
 */
export async function judgeApart(job: ShardJob): Promise<void> {
  const { hand, rows, setup, stallMs, beat } = job;
  for (const [index, row] of rows.entries()) {
    const error = hand.leftOut[row.imageId];
    if (error !== undefined) settle(job, { row, analysis: null, error, unusable: false }, index);
  }
  const suspected = suspectsOf(job);
  if (suspected.size === 0) return;
  await hand.keep();
  const others = [...rows.keys()].filter((index) => !suspected.has(index) && !job.settled.has(index));
  await judgeSuspects({
    suspects: suspected,
    controls: others.slice(0, CONTROLS),
    model: setup.name,
    nameOf: (index) => (rows[index] as ChunkRow).fileName,
    signal: beat.signal,
    open: async () => {
      const judge = await JudgeProcess.open(setup, stallMs);
      return { judge: (index) => judgeInProcess(job, judge, rows[index] as ChunkRow), close: () => judge.close() };
    },
    onSettled: async (index, outcome) => {
      const row = rows[index] as ChunkRow;
      if ('judged' in outcome) return settle(job, outcome.judged, index);
      await hand.leaveOut(row.imageId, outcome.error);
      settle(job, { row, analysis: null, error: outcome.error, unusable: false }, index);
    },
  });
}

/** Places of the images to judge separately, with the known number of processes that each has ended. */
function suspectsOf({ hand, rows, settled }: ShardJob): Map<number, number> {
  const named = new Set(hand.suspects ?? []);
  const places = [...rows.entries()].filter(([index]) => !settled.has(index));
  const suspected = places.filter(([, { imageId }]) => named.has(imageId)).map(([index]) => [index, 1] as const);
  if (hand.ended >= TRIES) return new Map([...places.map(([index]) => [index, 0] as const), ...suspected]);
  if (hand.suspects === null) return new Map(places.slice(0, 1).map(([index]) => [index, 0]));
  return new Map(suspected);
}

async function judgeInProcess(job: ShardJob, judge: JudgeProcess, row: ChunkRow): Promise<ScannedImage> {
  const { store } = job.deps;
  const read = await orNamed(row, () => Promise.all([readImage(store, row), readLabel(store, row)]));
  if (read.analysis === null) return { ...read, analysis: null };
  const [image, label] = read.analysis;
  const { seed } = job.context.config;
  return { row, ...(await judge.judge({ row, image, label, seed, injectShare: job.injectShare })) };
}
