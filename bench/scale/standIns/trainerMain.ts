import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

// The trainer's stand-in: a process that speaks its protocol and trains nothing. `PARTLOOP_PYTHON` starts it.

const PROTOCOL = 1;
const [CHECKPOINT_BYTES, NETWORK_BYTES, WEIGHTS_BYTES] = [256 * 1_024, 512 * 1_024, 512 * 1_024];

const jobSchema = z.object({
  workDir: z.string(),
  classes: z.array(z.string()),
  settings: z.object({ iterations: z.number(), checkpointEvery: z.number() }),
  progressEvery: z.number(),
});

const at = process.argv.indexOf('--job');
// The check of a worker's equipment asks for versions.
if (at < 0) process.stdout.write(`${JSON.stringify({ torch: 'none: a stand-in', gpus: 0 })}\n`);
else train(jobSchema.parse(JSON.parse(readFileSync(process.argv[at + 1] ?? '', 'utf8'))));

function train({ workDir, classes, settings, progressEvery }: z.infer<typeof jobSchema>): void {
  const { iterations, checkpointEvery } = settings;
  tell('started', { iterations, resumedFrom: null });
  const folder = join(workDir, 'checkpoints');
  mkdirSync(folder, { recursive: true });
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const loss = 1 / Math.sqrt(iteration);
    if (iteration % progressEvery === 0)
      tell('progress', { iteration, loss, lr: 1e-3, secondsPerIteration: 0.001, etaSeconds: 0 });
    if (iteration % checkpointEvery !== 0 && iteration !== iterations) continue;
    const name = String(iteration).padStart(8, '0');
    const sha256 = write(join(folder, `${name}.pt`), CHECKPOINT_BYTES);
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ iteration, sha256 }));
    tell('checkpoint', { iteration, path: `checkpoints/${name}.pt`, sha256 });
  }
  const files = {
    'model.onnx': write(join(workDir, 'model.onnx'), NETWORK_BYTES),
    'scan.onnx': write(join(workDir, 'scan.onnx'), NETWORK_BYTES),
    'weights.pt': write(join(workDir, 'weights.pt'), WEIGHTS_BYTES),
  };
  tell('exported', { sha256: files['model.onnx'], scanSha256: files['scan.onnx'], maxAbsDiff: 0 });
  const perClassIou = Object.fromEntries(classes.map((name, index) => [name, 0.9 - 0.01 * index]));
  const result = { iterations, seconds: 1, valMiou: 0.7, perClassIou, weightsSha256: files['weights.pt'], files };
  writeFileSync(join(workDir, 'result.json'), JSON.stringify(result));
  tell('done', { iterations, seconds: 1 });
}

function write(path: string, bytes: number): string {
  const content = randomBytes(bytes);
  writeFileSync(path, content);
  return createHash('sha256').update(content).digest('hex');
}

function tell(type: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ v: PROTOCOL, type, ...fields })}\n`);
}
