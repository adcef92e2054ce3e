import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trainConfigSchema } from '../../../domain/config.js';
import { taxonomySchema } from '../../../domain/taxonomy.js';
import { TRAINER_EXITS, trainerExitName } from '../../../domain/train/exit.js';
import { mirrorPairs, trainerJob } from '../../../domain/train/job.js';

const root = process.cwd();
const python = process.env.PARTLOOP_PYTHON ?? join(root, '.venv/bin/python');

const taxonomy = taxonomySchema.parse({
  name: 'two-sides',
  classes: [
    { name: 'hood', group: 'major' },
    { name: 'left_door', group: 'major', mirror: 'right_door' },
    { name: 'right_door', group: 'major', mirror: 'left_door' },
  ],
});
/** Recorded by a later build, which was rolled back since. */
const laterConfig = { ...trainConfigSchema.parse({}), lrWarmup: 5 };
const job = trainerJob({
  config: laterConfig,
  taxonomy,
  taxonomyDigest: 'a'.repeat(64),
  trainingSetDigest: 'b'.repeat(64),
  seed: 7,
  validationSize: 512,
  attempt: 'token',
  workDir: '/run',
  train: '/run/train.jsonl',
  val: null,
  weights: 'package',
});

describe('the contract with the trainer', () => {
  it('has the same exit codes and retry classes on both sides', () => {
    const source = readFileSync(join(root, 'trainer/partloop_trainer/process/protocol.py'), 'utf8');
    const rows = [...source.matchAll(/^ {4}"([a-z-]+)": \((\d+), (True|False)\)/gm)];
    const theirs = Object.fromEntries(
      rows.map(([, name, code, retry]) => [name, { exitCode: Number(code), retry: retry === 'True' }]),
    );
    const ours = Object.fromEntries(
      Object.entries(TRAINER_EXITS).map(([name, { exitCode, retry }]) => [name, { exitCode, retry }]),
    );
    assert.deepEqual(ours, theirs);
  });

  it('treats an unknown exit code as an internal failure, which may be retried', () => {
    assert.equal(trainerExitName(139), 'internal');
    assert.equal(trainerExitName(null), 'internal');
  });

  it('names each mirror pair once, by label value', () => {
    assert.deepEqual(mirrorPairs(taxonomy), [[2, 3]]);
    assert.deepEqual(job.classes, ['background', 'hood', 'left_door', 'right_door']);
  });

  it('writes only job fields that the trainer knows, and no setting that a later build recorded', function () {
    assert.ok(!('lrWarmup' in job.settings));
    if (!existsSync(python)) {
      console.log(`      no Python at ${python}: set PARTLOOP_PYTHON or run npm run bootstrap`);
      this.skip();
    }
    const check = `import json,sys; from partloop_trainer.job import parse_job; parse_job(json.load(sys.stdin)); print("ok")`;
    const output = execFileSync(python, ['-c', check], {
      input: JSON.stringify(job),
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: join(root, 'trainer') },
    });
    assert.equal(output.trim(), 'ok');
  });
});
