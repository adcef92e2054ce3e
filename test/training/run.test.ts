import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { modelCardSchema, trainingListSchema } from '../../domain/train/modelCard.js';

import { CHAIN, hasCode, python, script, tinyRun, train } from './tinyRun.js';

describe('a training run', function () {
  this.timeout(240_000);
  let home: string;
  let interpreter: string | undefined;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'partloop-train-'));
    interpreter = process.env.PARTLOOP_PYTHON;
  });
  afterEach(async () => {
    if (interpreter === undefined) delete process.env.PARTLOOP_PYTHON;
    else process.env.PARTLOOP_PYTHON = interpreter;
    await rm(home, { recursive: true, force: true });
  });

  it('ends with the same weights after SIGKILL or cancellation, and publishes all outputs', async function () {
    if (!existsSync(python)) {
      console.log(`      no Python at ${python}: set PARTLOOP_PYTHON or run npm run bootstrap`);
      this.skip();
    }
    const straight = await train(await tinyRun(), home);
    const card = modelCardSchema.parse(await straight.json(straight.work.outputs.card));
    assert.equal(card.weightsSha256, straight.work.facts.weightsSha256);
    assert.deepEqual(card.classes, ['background', 'left_door', 'right_door']);
    assert.deepEqual(Object.keys(card.valClassIou), ['left_door', 'right_door']);
    assert.equal(trainingListSchema.parse(await straight.json(straight.work.outputs.trainingList)).images.length, 6);
    assert.equal(straight.work.facts.resumes, 0);
    assert.deepEqual(await readdir(join(home, 'work')), [], 'the work folder is gone');

    // The same run, killed after its first checkpoint, then cancelled on another machine (an empty home), then
    // finished.
    const run = await tinyRun();
    const pidFile = join(home, 'pid');
    process.env.PARTLOOP_PYTHON = await script(
      home,
      'echo $$ > "$PIDFILE"; exec "$REAL" "$@"'.replace('$PIDFILE', pidFile).replace('$REAL', python),
    );
    await assert.rejects(
      train(run, home, {
        onIteration: async (iteration) => {
          if (iteration >= 3) process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
        },
      }),
      hasCode('trainer-failed'),
    );
    process.env.PARTLOOP_PYTHON = python;
    const elsewhere = join(home, 'elsewhere');
    const reason = new CancelledFailure('WORKER_SHUTDOWN');
    const cancel = new AbortController();
    await assert.rejects(
      train(run, elsewhere, {
        signal: cancel.signal,
        onIteration: (iteration) => {
          if (iteration >= 5) cancel.abort(reason);
        },
      }),
      (error: unknown) => error === reason,
    );
    const resumed = await train(run, join(home, 'third'));
    assert.equal(resumed.work.facts.weightsSha256, straight.work.facts.weightsSha256);
    assert.equal(resumed.work.facts.resumes, 2);
    const log = new TextDecoder().decode((await run.store.get(resumed.work.outputs.log ?? '')).body);
    assert.deepEqual(
      log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).iteration),
      [2, 4, 6, 8],
      'the log has no gap and no repetition',
    );
  });

  it('trains on while a checkpoint waits for its upload, and ends with the newest one in the store', async function () {
    if (!existsSync(python)) this.skip();
    const run = await tinyRun();
    let letGo = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let held = 0;
    // The first checkpoint reaches the store only after the last iteration: a trainer that waited for it would never
    // end.
    run.store.beforeWrite = (key) => {
      if (!key.endsWith('.pt') || held > 0) return;
      held++;
      return waiting;
    };
    const { work } = await train(run, home, {
      onIteration: (iteration) => {
        if (iteration >= 8) letGo();
      },
    });
    assert.equal(held, 1);
    assert.equal(work.facts.iterations, 8);
    const chain = JSON.parse(new TextDecoder().decode((await run.store.get(CHAIN)).body));
    assert.equal(chain.checkpoints[0].iteration, 8);
  });

  it('stops and publishes nothing once another attempt has taken the lease', async function () {
    if (!existsSync(python)) this.skip();
    const run = await tinyRun();
    let stolen = false;
    await assert.rejects(
      train(run, home, {
        onIteration: async (iteration) => {
          if (iteration < 2 || stolen) return;
          stolen = true;
          const object = await run.store.get(CHAIN);
          const state = JSON.parse(new TextDecoder().decode(object.body));
          await run.store.put(CHAIN, JSON.stringify({ ...state, attempt: 'another' }));
        },
      }),
      hasCode('fenced'),
    );
    assert.deepEqual(await readdir(join(home, 'work')), [], 'its work folder is gone');
    assert.equal(
      run.store.keys.some((key) => key.endsWith('.onnx')),
      false,
    );
  });

  it('does not count as done if another attempt takes the lease during the upload of the model', async function () {
    if (!existsSync(python)) this.skip();
    const run = await tinyRun();
    run.store.beforeWrite = async (key) => {
      if (!key.endsWith('/scan.onnx')) return;
      const state = JSON.parse(new TextDecoder().decode((await run.store.get(CHAIN)).body));
      await run.store.put(CHAIN, JSON.stringify({ ...state, attempt: 'another' }));
    };
    await assert.rejects(train(run, home), hasCode('fenced'));
  });

  for (const [exit, code] of [
    [2, 'config-invalid'],
    [3, 'data-invalid'],
    [4, 'weights-missing'],
    [5, 'checkpoint-incompatible'],
    [6, 'training-diverged'],
    [7, 'out-of-memory'],
    [8, 'disk-full'],
    [70, 'trainer-failed'],
    [75, 'interrupted'],
  ] as const) {
    it(`fails with ${code} if the trainer ends with code ${exit}, in the trainer's own words`, async () => {
      const error = JSON.stringify({ v: 1, type: 'error', code: 'any', message: 'image 17 is torn', hint: 'mend it' });
      process.env.PARTLOOP_PYTHON = await script(home, `echo '${error}'; exit ${exit}`);
      await assert.rejects(
        train(await tinyRun(), home),
        (thrown: unknown) => hasCode(code)(thrown) && /image 17 is torn/.test(String(thrown)),
      );
    });
  }

  it('shows the end of stderr if the trainer died silently', async () => {
    process.env.PARTLOOP_PYTHON = await script(home, 'echo "Segmentation fault in libfoo" >&2; kill -9 $$');
    await assert.rejects(
      train(await tinyRun(), home),
      (error: unknown) => hasCode('trainer-failed')(error) && /was killed.*libfoo/s.test(String(error)),
    );
  });

  it('does not trust the trainer alone: without result.json it has failed', async () => {
    process.env.PARTLOOP_PYTHON = await script(home, 'exit 0');
    await assert.rejects(train(await tinyRun(), home), hasCode('trainer-failed'));
  });

  it('refuses a trainer of another protocol version, and ends it', async () => {
    process.env.PARTLOOP_PYTHON = await script(home, `echo '{"v":9,"type":"started"}'; exec sleep 600`);
    await assert.rejects(train(await tinyRun(), home), hasCode('setup-incomplete'));
  });

  it('gives the trainer no credentials', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'do-not-tell';
    const seen = join(home, 'environment');
    process.env.PARTLOOP_PYTHON = await script(home, `env > "${seen}"; exit 3`);
    await assert.rejects(train(await tinyRun(), home)).finally(() => delete process.env.AWS_SECRET_ACCESS_KEY);
    const text = await readFile(seen, 'utf8');
    assert.doesNotMatch(text, /do-not-tell|AWS_|TEMPORAL/);
    assert.match(text, /OMP_WAIT_POLICY=PASSIVE/);
    assert.match(text, /GOMP_SPINCOUNT=\d+/);
  });
});
