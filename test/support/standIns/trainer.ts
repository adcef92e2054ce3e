import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Stands in for Python: notes each job, and leaves behind what a finished trainer leaves. */
const STAND_IN = `#!/usr/bin/env node
const fs = require('node:fs'), path = require('node:path'), crypto = require('node:crypto');
const job = JSON.parse(fs.readFileSync(process.argv.at(-1), 'utf8'));
const list = (file) => file === null ? [] : fs.readFileSync(file, 'utf8').trim().split('\\n').map((line) => JSON.parse(line).imageId);
const warm = job.warmStart === null ? null : fs.readFileSync(job.warmStart, 'utf8');
fs.appendFileSync(path.join(__dirname, 'jobs.jsonl'), JSON.stringify({ job, train: list(job.train), val: list(job.val), warm }) + '\\n');
const sha = (text) => crypto.createHash('sha256').update(text).digest('hex');
const files = ['model.onnx', 'scan.onnx', 'weights.pt'];
for (const name of files) fs.writeFileSync(path.join(job.workDir, name), name + job.seed);
const perClassIou = Object.fromEntries(job.classes.map((name) => [name, 0.5]));
fs.writeFileSync(path.join(job.workDir, 'result.json'), JSON.stringify({ iterations: job.settings.iterations, seconds: 1, valMiou: 0.5,
  perClassIou, weightsSha256: sha(JSON.stringify(job.seed)), files: Object.fromEntries(files.map((name) => [name, sha(name + job.seed)])) }));
`;

const jobsSchema = z.array(
  z.object({
    job: z.looseObject({ seed: z.number(), settings: z.looseObject({ iterations: z.number() }) }),
    train: z.array(z.string()),
    val: z.array(z.string()),
    warm: z.string().nullable(),
  }),
);
/** One start of the trainer: the ids of its images, and the weights that it starts from. */
export type SeenJob = z.infer<typeof jobsSchema>[number];

/** A trainer that trains nothing. */
export interface StandInTrainer {
  jobs(): Promise<SeenJob[]>;
  /** Take it back. */
  leave(): void;
}

/** Have trainings run a stand-in, in the folder `home`. */
export async function standInTrainer(home: string): Promise<StandInTrainer> {
  const interpreter = process.env.PARTLOOP_PYTHON;
  process.env.PARTLOOP_PYTHON = join(home, 'stand-in');
  await writeFile(process.env.PARTLOOP_PYTHON, STAND_IN);
  await chmod(process.env.PARTLOOP_PYTHON, 0o755);
  return {
    async jobs() {
      const text = await readFile(join(home, 'jobs.jsonl'), 'utf8').catch(() => '');
      return jobsSchema.parse(
        text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      );
    },
    leave() {
      if (interpreter === undefined) delete process.env.PARTLOOP_PYTHON;
      else process.env.PARTLOOP_PYTHON = interpreter;
    },
  };
}
