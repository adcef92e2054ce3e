import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { peerPython } from '../peers/python.js';

const run = promisify(execFile);

const answerSchema = z.object({ imagesPerSecond: z.number(), versions: z.record(z.string(), z.string()) });

export interface PythonRate {
  processes: number;
  threads: number;
  imagesPerSecond: number;
  versions: Record<string, string>;
}

/** Full softmax costs so much that fewer images suffice. */
const IMAGES = 48;

/**
 * Pillow, ONNX Runtime with full softmax out and cleanlab's softmin over files on this disk: the best of its settings.
 */
export async function pythonRates(
  home: string,
  root: string,
  { model, folder, size }: { model: string; folder: string; size: number },
): Promise<PythonRate> {
  const python = await peerPython(home, root);
  const script = join(root, 'bench', 'peers', 'pillow_scan.py');
  const cores = cpus().length;
  const rates: PythonRate[] = [];
  for (const processes of new Set([1, cores])) {
    const threads = cores / processes;
    const job = [script, model, folder, size, IMAGES, processes, threads].map(String);
    const { stdout } = await run(python, job, { env: { PATH: process.env.PATH, OMP_NUM_THREADS: String(threads) } });
    rates.push({ processes, threads, ...answerSchema.parse(JSON.parse(stdout)) });
  }
  return rates.reduce((a, b) => (b.imagesPerSecond > a.imagesPerSecond ? b : a));
}
