import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { POLICY_NAMES } from '../../domain/sample/config.js';
import { resultSchemas } from '../../domain/steps.js';

const run = promisify(execFile);

export const sampleJobSchema = z.strictObject({
  pool: z.string(),
  policy: z.enum(POLICY_NAMES),
  /** Table of the images picked before. */
  trainingSet: z.string(),
  draw: resultSchemas.draw,
  scan: resultSchemas.scan,
});
export type SampleJob = z.output<typeof sampleJobSchema>;

const costSchema = z.strictObject({
  picked: z.number(),
  trainingSet: z.number(),
  cpuSeconds: z.number(),
  wallSeconds: z.number(),
  peakMegabytes: z.number(),
});
export type SampleCost = z.output<typeof costSchema>;

/** One step sample, in a process of its own so that its memory is its own. */
export async function sampleCost(home: string, job: SampleJob): Promise<SampleCost> {
  const main = fileURLToPath(new URL('./sampleMain.js', import.meta.url));
  const { stdout } = await run(process.execPath, [main, JSON.stringify(job)], {
    env: { ...process.env, PARTLOOP_HOME: home },
  });
  return costSchema.parse(JSON.parse(stdout));
}
