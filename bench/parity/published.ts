import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { lockedPython } from '../../infra/lockedPython.js';
import type { MaskSet } from './maskSets.js';

const run = promisify(execFile);

const shares = z.array(z.number().min(0).max(1).nullable());
const answerSchema = z.object({
  sets: z.array(
    z.object({
      iou: shares,
      boundaryIou: shares,
      imageMiou: z.array(z.number()),
      calibrationError: shares,
      overallCalibrationError: z.number().nullable(),
    }),
  ),
  versions: z.record(z.string(), z.string()),
});
export type PublishedAnswer = z.infer<typeof answerSchema>;

/**
 * What torchmetrics and the published boundary IoU say of the masks. torchmetrics runs in the trainer's interpreter,
 * whose torch it uses.
 *
 * @throws PartloopError `setup-incomplete` if it cannot be installed
 */
export async function publishedFigures(sets: readonly MaskSet[], home: string, root: string): Promise<PublishedAnswer> {
  const peer = await lockedPython({
    lock: join(root, 'bench', 'peers', 'torchmetrics.lock.txt'),
    venvs: join(home, 'bench', 'venvs'),
    root,
    hint: 'This comparison needs the Python package index the first time.',
  });
  const { stdout: packages } = await run(peer, ['-c', 'import site; print(site.getsitepackages()[0])']);
  const folder = await mkdtemp(join(tmpdir(), 'partloop-parity-'));
  try {
    const images = sets.flatMap((one) => one.images);
    await writeFile(join(folder, 'given.u8'), Buffer.concat(images.map(({ given }) => given)));
    await writeFile(join(folder, 'predicted.u8'), Buffer.concat(images.map(({ predicted }) => predicted)));
    await writeFile(join(folder, 'probabilities.u8'), Buffer.concat(images.map(({ probabilities }) => probabilities)));
    const meta = sets.map(({ classes, images: own }) => ({
      classes,
      images: own.map(({ width, height }) => [width, height]),
    }));
    await writeFile(join(folder, 'meta.json'), JSON.stringify({ sets: meta }));
    const script = join(root, 'bench', 'peers', 'published_evaluation.py');
    const { stdout } = await run(join(root, '.venv', 'bin', 'python'), [script, folder], {
      env: { PATH: process.env.PATH, PYTHONPATH: packages.trim() },
      maxBuffer: 2 ** 26,
    });
    return answerSchema.parse(JSON.parse(stdout));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
