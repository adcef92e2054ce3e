import { Worker } from 'node:worker_threads';
import { z } from 'zod';

/** One configuration of ONNX Runtime and how fast it is over tensors that lie in memory. */
export interface BareRate extends BareConfiguration {
  imagesPerSecond: number;
}

export interface BareConfiguration {
  sessions: number;
  threads: number;
  batch: number;
}

const SECONDS = 12;
const answerSchema = z.object({ images: z.number(), seconds: z.number() });

/**
 * The scan's network alone, in every sensible configuration: one session with all cores, or one per core, batch 1 and
 * 4.
 */
export async function bareRates(modelPath: string, size: number, cores: number): Promise<BareRate[]> {
  const rates: BareRate[] = [];
  for (const sessions of new Set([1, cores])) {
    for (const batch of [1, 4]) {
      const configuration = { sessions, threads: cores / sessions, batch };
      rates.push({ ...configuration, imagesPerSecond: await bareRate(modelPath, size, configuration) });
    }
  }
  return rates;
}

/** Images per second of one configuration, with its sessions side by side. */
export async function bareRate(modelPath: string, size: number, configuration: BareConfiguration): Promise<number> {
  const { sessions, threads, batch } = configuration;
  const setup = { modelPath, size, threads, batch, seconds: SECONDS };
  const answers = await Promise.all(Array.from({ length: sessions }, () => runThread(setup)));
  return answers.reduce((sum, { images, seconds }) => sum + images / seconds, 0);
}

/** What `bareThread.ts` is started with. */
export const bareSetupSchema = z.object({
  modelPath: z.string(),
  size: z.number(),
  threads: z.number(),
  batch: z.number(),
  seconds: z.number(),
});

function runThread(setup: z.infer<typeof bareSetupSchema>): Promise<z.infer<typeof answerSchema>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bareThread.js', import.meta.url), { workerData: setup });
    worker.once('message', (message) => resolve(answerSchema.parse(message)));
    worker.once('error', reject);
  });
}
