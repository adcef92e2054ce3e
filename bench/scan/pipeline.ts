import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { StackEnvironment } from '../../infra/environment.js';

const run = promisify(execFile);

const rateSchema = z.object({
  images: z.number(),
  seconds: z.number(),
  imagesPerSecond: z.number(),
  peakMegabytes: z.number(),
});
export type PipelineRate = z.infer<typeof rateSchema>;

export const pipelineJobSchema = z.object({
  pool: z.string(),
  modelPath: z.string(),
  images: z.number().int(),
  sessions: z.number().int(),
});

/** The scan of so many images of a pool, in a separate process, to measure its peak memory alone. */
export async function pipelineRate(
  env: StackEnvironment,
  job: z.infer<typeof pipelineJobSchema>,
): Promise<PipelineRate> {
  const main = fileURLToPath(new URL('./pipelineMain.js', import.meta.url));
  const { stdout } = await run(process.execPath, [main, JSON.stringify(job)], {
    env: { ...process.env, PARTLOOP_HOME: env.home },
  });
  return rateSchema.parse(JSON.parse(stdout));
}
