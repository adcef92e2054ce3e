import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { PartloopError } from '../../domain/base/errors.js';
import type { FailureCode } from '../../domain/base/failures/failure.js';
import type { IndexRow } from '../../domain/tables.js';
import type { NetworkImage } from '../../inference/decode.js';
import { JudgeProcess } from '../../inference/judge/judgeProcess.js';
import { tryModel } from '../../inference/judge/modelTrial.js';
import { openSessions } from '../../inference/sessions/sessions.js';
import { ProcessEnded } from '../../storage/pictures/helperProcess.js';
import { indexRow } from '../storage/rows.js';
import {
  canCrash,
  type Fault,
  faultyPicture,
  hasPython,
  PYTHON,
  writeFaulty,
  writeTinyModel,
} from '../support/models/tinyModel.js';
import { TAXONOMY } from '../support/pictures/pictures.js';
import { memoryStore } from '../support/standIns/memoryStore.js';

const SIZE = 64;
/** Longer than any of these networks needs for a picture, also on a busy machine. */
const STALL_MS = 4_000;
const signal = new AbortController().signal;

const picture = (fault: Fault) => ({ rgb: faultyPicture(SIZE, fault), width: SIZE, height: SIZE });
const png = ({ rgb, width, height }: NetworkImage): Promise<Buffer> =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();

/** Pictures in a store, and their rows. */
async function stored(pictures: readonly NetworkImage[], names: readonly string[]) {
  const store = memoryStore();
  const rows: IndexRow[] = [];
  for (const [n, picture] of pictures.entries()) {
    const bytes = await png(picture);
    const imageId = createHash('sha256').update(bytes).digest('hex');
    await store.put(`images/${n}`, bytes);
    rows.push(indexRow(n, { fileName: `${names[n]}.png`, imageId, imageUri: `images/${n}` }));
  }
  return { store, rows };
}
const shown = (...faults: Fault[]) => stored(faults.map(picture), faults);

const failsWith = (code: FailureCode, pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof PartloopError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, pattern);
  return true;
};

describe('a faulty network', function () {
  this.timeout(120_000);
  let folder: string;

  before(async function () {
    if (!hasPython || !canCrash) {
      console.log(
        `      skipped: ${hasPython ? 'only x64 processors crash so' : `${PYTHON} is missing; npm run bootstrap installs it`}`,
      );
      return this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const setupOf = async (always?: Fault) => ({
    modelPath: await writeFaulty(join(folder, `${always ?? 'faulty'}.onnx`), SIZE, TAXONOMY.classes.length, always),
    name: 'models/faulty.onnx',
    threads: 1,
    taxonomy: TAXONOMY,
  });

  it('gives an error by name, not a label, for no number or a class beyond the taxonomy', async () => {
    const sessions = await openSessions(1, await setupOf());
    try {
      const bad = [
        [
          'nan',
          /models\/faulty\.onnx cannot judge nan\.png: it gives no number \(NaN or infinity\) for 100 % of the pixels/,
        ],
        ['olderNan', /cannot judge olderNan\.png: it gives no number/],
        ['class40', /cannot judge class40\.png: it finds class 40, the taxonomy ends at 3/],
      ] as const;
      for (const [fault, pattern] of bad)
        await assert.rejects(sessions.look(picture(fault), `${fault}.png`), failsWith('answer-invalid', pattern));
      assert.deepEqual([...new Set((await sessions.look(picture('none'), 'none.png')).mask)], [1, 0]);
    } finally {
      await sessions.close();
    }
  });

  it('is judged in a separate process, and the next one goes on if it crashes or hangs', async () => {
    const setup = await setupOf();
    for (const [fault, how] of [
      ['crash', /^SIG/],
      ['hang', /no answer within \d+ s/],
    ] as const) {
      const judge = await JudgeProcess.open(setup, STALL_MS);
      assert.deepEqual(await judge.look(await png(picture('none')), 'none.png'), { classes: [0, 1], surest: 255 });
      await assert.rejects(
        judge.look(await png(picture(fault)), `${fault}.png`),
        (error: unknown) => error instanceof ProcessEnded && how.test(error.how),
      );
    }
  });

  it('is refused before it judges if it crashes, hangs or gives no number for real pictures', async () => {
    const all: Fault[] = ['none', 'none', 'none', 'none'];
    const cases: [Fault, RegExp][] = [
      ['crash', /models\/faulty\.onnx ended the process that ran it for each of 2 pictures \(SIG/],
      ['hang', /ended the process that ran it for each of 2 pictures \(no answer within \d+ s\)/],
      ['nan', /cannot judge 4 of 4 pictures .* the first: .*none\.png: it gives no number/],
      ['class40', /cannot judge 4 of 4 pictures .*class 40/],
    ];
    for (const [always, pattern] of cases) {
      const trial = { ...(await shown(...all)), setup: await setupOf(always), stallMs: STALL_MS, signal };
      await assert.rejects(tryModel(trial), failsWith('model-invalid', pattern));
    }
  });

  it('may judge if only a few pictures are to blame, and these are reported', async () => {
    const pictures = await shown('none', 'crash', 'none', 'nan', 'none');
    const warnings = await tryModel({ ...pictures, setup: await setupOf(), stallMs: STALL_MS, signal });
    assert.equal(warnings.length, 2);
    assert.match(warnings.sort().join('\n'), /nan\.png.*\n.*crash\.png \(SIG/);
  });

  it('is suspicious if it finds one class everywhere, or is never sure', async () => {
    // Red is the class, green 255 times its probability.
    const modelPath = await writeTinyModel(join(folder, 'rule.onnx'), { size: SIZE });
    const setup = { modelPath, name: 'rule.onnx', threads: 1, taxonomy: TAXONOMY };
    const plain = (red: number, green: number) => ({
      rgb: Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, at) => [red, green, 0][at % 3] as number),
      width: SIZE,
      height: SIZE,
    });
    const tried = async (...pictures: NetworkImage[]) =>
      tryModel({ ...(await stored(pictures, ['a', 'b'])), setup, stallMs: STALL_MS, signal });
    assert.deepEqual(await tried(plain(1, 250), plain(2, 250)), []);
    const [dead, ...more] = await tried(plain(2, 250), plain(2, 250));
    assert.match(dead ?? '', /rule\.onnx finds only class `\w+` in every pixel of 2 pictures/);
    assert.deepEqual(more, []);
    // Of four label values none gets beyond e / (e + 3) = 48 % where a softmax is taken twice.
    assert.match((await tried(plain(1, 110), plain(2, 121))).join(), /never surer than 47 %.*probabilities/);
  });
});
