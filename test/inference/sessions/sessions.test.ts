import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { listSupportedBackends } from 'onnxruntime-node';
import { PartloopError } from '../../../domain/base/errors.js';
import { ANALYSIS_VERSION } from '../../../domain/scan/index.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { openSessions } from '../../../inference/sessions/sessions.js';
import { hasPython, PYTHON, type TinyModel, writeTinyModel } from '../../support/models/tinyModel.js';
import { TAXONOMY } from '../../support/pictures/pictures.js';

const SIZE = 32;

/** A canvas on which the model finds `label` everywhere, surely. */
const canvas = (label: number): Uint8Array =>
  Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, at) => (at % 3 === 0 ? label : 255));
const picture = (label: number) => ({ rgb: canvas(label), width: SIZE, height: SIZE });

describe('the sessions of a model', function () {
  this.timeout(120_000);
  let folder: string;

  before(async function () {
    if (!hasPython) {
      console.log(`      skipped: ${PYTHON} is missing; npm run bootstrap installs it`);
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const setupOf = async (name: string, model: TinyModel) => ({
    modelPath: await writeTinyModel(join(folder, `${name}.onnx`), model),
    name: `models/${name}.onnx`,
    threads: 1,
    taxonomy: TAXONOMY,
  });

  it('answer every picture with its own mask, however many arrive at once', async () => {
    const sessions = await openSessions(2, await setupOf('rule', { size: SIZE }));
    try {
      assert.equal(sessions.size, SIZE);
      const labels = Array.from({ length: 12 }, (_, index) => index % 4);
      const looks = await Promise.all(labels.map((label) => sessions.look(picture(label), 'car.png')));
      for (const [index, { mask }] of looks.entries()) {
        assert.equal(mask.length, SIZE * SIZE);
        assert.ok(mask.every((value) => value === labels[index]));
      }
    } finally {
      await sessions.close();
    }
  });

  it('compare a label with the prediction of the model', async () => {
    const sessions = await openSessions(1, await setupOf('rule', { size: SIZE }));
    try {
      const label = new Uint8Array(SIZE * SIZE).fill(2);
      const question = { label, width: SIZE, height: SIZE, tags: NO_TAGS, injectSeed: null };
      const analysis = await sessions.analyse(picture(2), question, 'car.png');
      assert.equal(analysis.version, ANALYSIS_VERSION);
    } finally {
      await sessions.close();
    }
  });

  it('have the number that a trial finds the fastest if none is given', async () => {
    const setup = await setupOf('rule', { size: SIZE });
    for (let time = 0; time < 2; time++) {
      const sessions = await openSessions(null, setup);
      try {
        assert.ok(sessions.sessions >= 1 && sessions.sessions <= availableParallelism());
        assert.ok((await sessions.look(picture(2), 'car.png')).mask.every((value) => value === 2));
      } finally {
        await sessions.close();
      }
    }
  });

  it('never run elsewhere than asked: without CUDA they refuse the model and name the way out', async function () {
    if (listSupportedBackends().some(({ name, bundled }) => name === 'cuda' && bundled)) return this.skip();
    const setup = await setupOf('rule', { size: SIZE });
    await assert.rejects(
      openSessions(1, { ...setup, provider: 'cuda' }),
      (error: unknown) => error instanceof PartloopError && /provider=cpu/.test(error.hint ?? ''),
    );
  });

  it('refuse an unusable model file by name', async () => {
    const refusal = (pattern: RegExp) => (error: unknown) =>
      error instanceof PartloopError && error.code === 'model-invalid' && pattern.test(error.message);
    const text = join(folder, 'text.onnx');
    await writeFile(text, 'this is no ONNX');
    const broken = { modelPath: text, name: 'models/text.onnx', threads: 1, taxonomy: TAXONOMY };
    await assert.rejects(openSessions(2, broken), refusal(/models\/text\.onnx/));
    const wrong: [string, TinyModel, RegExp][] = [
      ['no-image', { size: SIZE, rename: { image: 'photo' } }, /models\/no-image\.onnx.*no input `image`/],
      ['no-mask', { size: SIZE, rename: { mask: 'logits' } }, /models\/no-mask\.onnx.*no output `mask`/],
      ['tiny', { size: 16 }, /models\/tiny\.onnx.*S from 32 to 4096/],
      ['oblong', { size: SIZE, height: 64 }, /models\/oblong\.onnx.*shape/],
    ];
    for (const [name, model, pattern] of wrong) {
      await assert.rejects(openSessions(1, await setupOf(name, model)), refusal(pattern), name);
    }
  });

  it('refuse an answer of the wrong size, and name the model', async () => {
    const sessions = await openSessions(1, await setupOf('double', { size: SIZE, maskChannels: 2 }));
    try {
      await assert.rejects(
        sessions.look(picture(1), 'car.png'),
        (error) =>
          error instanceof PartloopError &&
          error.code === 'model-invalid' &&
          /models\/double\.onnx/.test(error.message) &&
          /mask/.test(error.message),
      );
    } finally {
      await sessions.close();
    }
  });

  it('finish the current picture when they close, and take no more', async () => {
    const sessions = await openSessions(1, await setupOf('slow', { size: SIZE, products: 4 }));
    const answers = [0, 0, 0].map((label) => sessions.look(picture(label), 'car.png'));
    const settled = Promise.allSettled(answers);
    // The first picture is handed to its thread in this turn of the event loop.
    await nextTurn();
    await sessions.close();
    const [first, ...rest] = await settled;
    assert.equal(first?.status, 'fulfilled');
    assert.ok(rest.every(({ status }) => status === 'rejected'));
    await assert.rejects(sessions.look(picture(0), 'car.png'), /ended/);
    await sessions.close();
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`let the process end cleanly on ${signal} while a picture is inside the network`, async () => {
      const { modelPath } = await setupOf('slow', { size: SIZE, products: 40 });
      const main = fileURLToPath(new URL('../closingMain.js', import.meta.url));
      const child: ChildProcess = spawn(process.execPath, [main, modelPath], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'exit');
      if (child.stdout === null) throw new Error('the child has no stdout');
      const [said] = await Promise.race([once(child.stdout, 'data'), ended]);
      assert.equal(String(said), 'judging\n');
      child.kill(signal);
      assert.deepEqual(await ended, [0, null]);
    });
  }
});
