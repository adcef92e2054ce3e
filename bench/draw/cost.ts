import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

export const drawJobSchema = z.strictObject({ pool: z.string(), chunkSize: z.number(), cacheFolder: z.string() });

const costSchema = z.strictObject({
  rows: z.number(),
  drawn: z.number(),
  clusters: z.number(),
  /** Core seconds: the index, the choice with its groups of near duplicates, the whole rows of the drawn images. */
  readSeconds: z.number(),
  drawSeconds: z.number(),
  wholeRowsSeconds: z.number(),
  wallSeconds: z.number(),
  peakMegabytes: z.number(),
});
export type DrawCost = z.output<typeof costSchema>;

/** One draw, in a process of its own so that its memory is its own. */
export async function drawCost(home: string, job: z.infer<typeof drawJobSchema>): Promise<DrawCost> {
  const main = fileURLToPath(new URL('./drawMain.js', import.meta.url));
  const { stdout } = await run(process.execPath, [main, JSON.stringify(job)], {
    env: { ...process.env, PARTLOOP_HOME: home },
  });
  return costSchema.parse(JSON.parse(stdout));
}
