import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { labelNames } from '../../domain/taxonomy.js';
import { decodeForNetwork } from '../../inference/decode.js';
import { padImage } from '../../inference/letterbox.js';
import { digestOf } from '../../storage/digest.js';
import { peerPython } from '../peers/python.js';
import type { BenchImage, BenchSet } from './data.js';
import type { Judged } from './models.js';
import { labelOnCanvas } from './scan.js';

const run = promisify(execFile);

const scoresSchema = z.object({
  cleanlab: z.string(),
  softmin: z.array(z.number()),
  issues: z.array(z.number()),
  seconds: z.record(z.string(), z.number()),
});
export type PeerScores = z.infer<typeof scoresSchema>;

/**
 * cleanlab's qualities of the given labels by the same out-of-fold judges, low is suspect; computed once per set and
 * kept. null if a judge has no logits.
 */
export async function peerScores(
  set: BenchSet,
  judged: Judged,
  labelOf: (image: BenchImage) => Uint8Array,
  home: string,
  root: string,
): Promise<PeerScores | null> {
  const { folds, judges } = judged;
  if (judges.some(({ logitsPath }) => logitsPath === null)) return null;
  const script = join(root, 'bench', 'peers', 'cleanlab_scores.py');
  const digest = digestOf({
    judges: judges.map(({ id }) => id),
    labels: set.images.map((image) => createHash('sha256').update(labelOf(image)).digest('hex')),
    script: await readFile(script, 'utf8'),
  });
  const folder = join(home, 'bench', 'peers', digest.slice(0, 24));
  const path = join(folder, 'scores.json');
  const read = async (): Promise<PeerScores> => scoresSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  if (await exists(path)) return read();

  await mkdir(folder, { recursive: true });
  const size = set.imageSize;
  const classes = labelNames(set.taxonomy).length;
  const labels = Buffer.concat(set.images.map((image) => labelOnCanvas(labelOf(image), image, size)));
  if (labels.includes(255))
    throw new PartloopError('input-invalid', 'cleanlab knows no ignored pixels, and these labels have some');
  await writeFile(join(folder, 'labels.u8'), labels);
  await writeFile(join(folder, 'meta.json'), JSON.stringify({ images: set.images.length, classes, size }));
  const logits = new Array<Float32Array>(set.images.length);
  for (const [fold, judge] of judges.entries()) {
    const session = await InferenceSession.create(judge.logitsPath ?? '', { intraOpNumThreads: 2 });
    for (const [index, image] of set.images.entries()) {
      if (folds[index] !== fold) continue;
      const { rgb, width, height } = await decodeForNetwork(image.bytes, size, image.fileName);
      const canvas = padImage(rgb, width, height, size);
      const { logits: output } = await session.run({ image: new Tensor('uint8', canvas, [1, size, size, 3]) });
      if (!(output?.data instanceof Float32Array) || output.data.length !== (classes * size * size) / 16)
        throw new PartloopError(
          'model-invalid',
          `${judge.logitsPath} gives no logits [1, ${classes}, ${size / 4}, ${size / 4}]`,
        );
      logits[index] = Float32Array.from(output.data);
    }
    await session.release();
  }
  const file = createWriteStream(join(folder, 'logits.f32'));
  for (const one of logits) file.write(Buffer.from(one.buffer));
  await new Promise<void>((resolve, reject) => {
    file.once('error', reject);
    file.end(resolve);
  });
  const python = await peerPython(home, root);
  await run(python, [script, folder], { env: { PATH: process.env.PATH, OMP_NUM_THREADS: '2' }, maxBuffer: 2 ** 24 });
  for (const name of ['logits.f32', 'labels.u8']) await rm(join(folder, name), { force: true });
  return read();
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
