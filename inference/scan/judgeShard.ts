import { PartloopError } from '../../domain/base/errors.js';
import { scanPlanSchema } from '../../domain/scan/judge/plan.js';
import type { IterationContext } from '../../domain/steps.js';
import { type ChunkRow, chunkRowSchema } from '../../domain/tables.js';
import type { ModelCard } from '../../domain/train/modelCard.js';
import type { ActivityDeps } from '../../steps/deps.js';
import { withHeartbeat } from '../../steps/heartbeat.js';
import { poolOf } from '../../steps/pool.js';
import { digestOfTaxonomy } from '../../storage/digest.js';
import { readJson } from '../../storage/tables/json.js';
import { readTable } from '../../storage/tables/table.js';
import { fetchModel } from '../modelFile.js';
import type { ThreadSetup } from '../sessions/scanMessages.js';
import { scanRows } from '../sessions/scanPipeline.js';
import { openSessions } from '../sessions/sessions.js';
import { isStalled, Watchdog } from '../watchdog.js';
import { InHand } from './inHand.js';
import { judgeOf } from './judges.js';
import { type ShardInput, scanSetupOf } from './scanSetup.js';
import { type ShardJob, settle } from './shardJob.js';
import { isShardWhole, ShardWriter, shardKey } from './shardObject.js';
import { judgeApart } from './shardSuspects.js';

/** Images whose labels are also analysed with injected errors: enough for a calibration of a scan of any size. */
const INJECTED_IMAGES = 2_000;
/** Number of pictures of a shard for which a model may have no answer, even in a small shard. */
const FEW_UNUSABLE = 2;
/** If no picture is done within this many times the time allowed per picture, the attempt stops its heartbeat. */
const QUIET_AFTER = 3;

/** Judge the images of one shard; it is found done if its object exists. */
export async function scanShard(deps: ActivityDeps, asked: ShardInput): Promise<void> {
  const { store } = deps;
  const { shard } = asked;
  const { context, planKey, folds } = await scanSetupOf(store, asked);
  const plan = await readJson(store, planKey, scanPlanSchema);
  const entry = plan.shards.find((candidate) => candidate.shard === shard);
  if (entry === undefined) throw new PartloopError('input-invalid', `${planKey} has no shard ${shard}`);
  const { scanKey, card } = await judgeOf(store, plan, entry.judge, folds);
  const key = shardKey(planKey, shard, card.files.scan);
  const unreadable = (error: PartloopError): void =>
    deps.log.warn({ shard, error: error.message }, 'a shard that was judged cannot be read: it is judged again');
  if (await isShardWhole(store, key, unreadable)) return;

  const images = plan.shards.reduce((sum, part) => sum + part.images, 0);
  const stallMs = 1_000 * context.config.durability.inferenceStallSeconds;
  await withHeartbeat(
    async (beat) => {
      const setup = await setupOf(deps, context, scanKey, card);
      const rows = await readTable(store, entry.rows, chunkRowSchema);
      const job: ShardJob = {
        ...{ deps, context, setup, stallMs, rows, beat, modelDigest: card.files.scan },
        injectShare: INJECTED_IMAGES / Math.max(1, images),
        hand: await InHand.open(store, `${key}.in-hand.json`),
        writer: new ShardWriter(),
        settled: new Set(),
        unusable: [],
      };
      beat.report({ phase: 'judging', done: 0, total: rows.length, unit: 'images' });
      try {
        await judgeApart(job);
        await judgeTogether(job);
        refuseManyUnusable(job);
        await job.writer.write(store, key);
        await job.hand.finish();
      } catch (error) {
        // A thread hangs: the process ends, and the next attempt must find the images in hand.
        if (!isStalled(error)) await job.hand.close();
        throw isStalled(error) && beat.signal.aborted ? beat.signal.reason : error;
      }
    },
    { quietAfterMs: QUIET_AFTER * stallMs },
  );
}

async function setupOf(
  deps: ActivityDeps,
  { config }: IterationContext,
  scanKey: string,
  card: ModelCard,
): Promise<ThreadSetup> {
  const { threadsPerSession, provider } = config.scan;
  const modelPath = await fetchModel(deps.store, scanKey, card.files.scan, deps.home);
  const { taxonomy } = await poolOf(deps, config.pool);
  if (card.taxonomyDigest !== digestOfTaxonomy(taxonomy))
    throw new PartloopError(
      'model-invalid',
      `${scanKey} was trained for another taxonomy than that of pool \`${config.pool}\``,
    );
  return { modelPath, name: scanKey, threads: threadsPerSession, provider, taxonomy };
}

async function judgeTogether(job: ShardJob): Promise<void> {
  const { deps, context, setup, stallMs, rows, beat, hand } = job;
  const places = [...rows.keys()].filter((index) => !job.settled.has(index));
  if (places.length === 0) return;
  const placeOf = (index: number): number => places[index] as number;
  const left = places.map((index) => rows[index] as ChunkRow);
  const images = left.map(({ imageId }) => imageId);
  await hand.loading();
  const watchdog = new Watchdog(stallMs, (error) => deps.retire?.(error), beat.signal);
  const opened = await openSessions(context.config.scan.sessions, setup, watchdog);
  try {
    await scanRows({
      store: deps.store,
      pool: context.config.pool,
      rows: left,
      sessions: opened,
      seed: context.config.seed,
      injectShare: job.injectShare,
      signal: beat.signal,
      beforeImage: (index) => hand.before(images, index),
      onScanned: (image, index) => {
        hand.done(index);
        settle(job, image, placeOf(index));
      },
      onStalled: (index) => hand.stalled(images[index] as string),
    });
  } finally {
    await opened.close();
  }
}

/** A few pictures without an answer are at fault themselves; if there are many, the model is. */
function refuseManyUnusable({ unusable, rows, context, setup }: ShardJob): void {
  const allowed = Math.max(FEW_UNUSABLE, (1 - context.config.scan.minShardSuccess) * rows.length);
  if (unusable.length <= allowed) return;
  throw new PartloopError(
    'model-invalid',
    `${setup.name} cannot judge ${unusable.length} of ${rows.length} pictures; the first: ${unusable[0]}`,
    { hint: 'Often numbers left the range of float16, or the input is scaled wrongly: export it again as float32.' },
  );
}
