import { storeOf } from '../../cli/environment.js';
import { chunkRowSchema } from '../../domain/tables.js';
import { ShardWriter } from '../../inference/scan/shardObject.js';
import { scanRows } from '../../inference/sessions/scanPipeline.js';
import { openSessions } from '../../inference/sessions/sessions.js';
import { resolveEnvironment } from '../../infra/environment.js';
import { openPool } from '../../storage/pool/pool.js';
import { pipelineJobSchema } from './pipeline.js';

/**
 * Images scanned before the clock starts: nearly a shard, since the code that a scan of hours runs is compiled by then.
 */
const WARM_UP = 200;
/** As in a scan of 60k images, of which 2,000 are analysed with injected errors. */
const INJECT_SHARE = 2_000 / 60_000;

const job = pipelineJobSchema.parse(JSON.parse(process.argv[2] ?? ''));
const store = storeOf(await resolveEnvironment());
const pool = await openPool(store, job.pool);
const index = await pool.readIndex(await pool.latestVersion());
const rows = Array.from({ length: job.images + WARM_UP }, (_, at) => {
  const row = index[at % index.length];
  return chunkRowSchema.parse({ ...row, cluster: row?.imageId });
});
const sessions = await openSessions(job.sessions, {
  modelPath: job.modelPath,
  name: 'the benchmark model',
  threads: 1,
  taxonomy: pool.taxonomy,
});
/** A scan that keeps the same data as a shard; it returns the first failure. */
async function scan(part: typeof rows): Promise<string | null> {
  const writer = new ShardWriter();
  let failure: string | null = null;
  await scanRows({
    store,
    pool: job.pool,
    rows: part,
    sessions,
    seed: 1,
    injectShare: INJECT_SHARE,
    signal: new AbortController().signal,
    onScanned: ({ row, analysis, error }, index) => {
      writer.add({ imageId: row.imageId, analysis, error, model: job.modelPath }, index);
      failure ??= error;
    },
  });
  return failure;
}
await scan(rows.slice(0, WARM_UP));
const start = performance.now();
const failure = await scan(rows.slice(WARM_UP));
const seconds = (performance.now() - start) / 1_000;
await sessions.close();
if (failure !== null) throw new Error(failure);
process.stdout.write(
  JSON.stringify({
    images: job.images,
    seconds,
    imagesPerSecond: job.images / seconds,
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1_024),
  }),
);
