import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { ServedBoard } from '../../board/server/serve.js';
import { loopConfigSchema } from '../../domain/config.js';
import { decisionSchema } from '../../domain/decide/decision.js';
import { withAttempt } from '../../domain/loop/state.js';
import { evaluationRowSchema } from '../../domain/tables.js';
import { NO_TAGS } from '../../domain/tags.js';
import { updateLoopState } from '../../storage/loopState.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { writeTable } from '../../storage/tables/table.js';
import type { ScannedPool } from '../pool/review/scannedPool.js';
import { needsBrowser, takePicture } from '../support/browser/browser.js';
import { givenCard } from '../support/models/givenModel.js';
import { hasPython, writeSeer } from '../support/models/tinyModel.js';
import { TAXONOMY } from '../support/pictures/pictures.js';
import { startTestStore, type TestStore } from '../support/servers/s3.js';
import { stepResult } from '../support/standIns/stepResult.js';
import { boardOver, poolForBoard, SIZE } from './kit.js';

const SIDE = 160;
/** Images of `poolForBoard` are redder with their number, up to the seventh; the models see class 1 where red is. */
const COUNT = 14;
const RED = 5;

describe('the worst test images on the board', function () {
  this.timeout(180_000);
  const open = needsBrowser();
  let server: TestStore;
  let store: ObjectStore;
  let board: ServedBoard;
  let folder: string;
  let pool: ScannedPool;

  before(async function () {
    if (!hasPython) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'partloop-worst-'));
    server = await startTestStore();
    store = server.open('worst');
    pool = await poolForBoard(store, COUNT);
    const bytes = await readFile(await writeSeer(join(folder, 'seer.onnx'), SIDE, TAXONOMY.classes.length));
    const digest = createHash('sha256').update(bytes).digest('hex');
    await store.put('scan.onnx', bytes);
    await store.put('card.json', JSON.stringify(givenCard(TAXONOMY, SIDE, digest)));
    for (const name of ['candidate', 'production'])
      await writeTable(store, `${name}.parquet`, rowsOf(pool), evaluationRowSchema);
    const model = { scan: 'scan.onnx', card: 'card.json', loop: 'cars', digest, iteration: 1 };
    for (const benchmark of [null, model])
      await store.put(
        benchmark === null ? 'first.json' : 'second.json',
        JSON.stringify(
          decisionSchema.parse({
            ...{ version: 1, gate: 'held', promoted: false, reasons: [], pendingApproval: false, testVersion: 't' },
            ...{ candidate: model, benchmark, candidateMiou: 0.6, benchmarkMiou: null, gain: null, lower: null },
            ...{ upper: null, detectable: null, units: 1, look: null, alpha: null, slices: [], lostClasses: [] },
            previousCandidate: null,
          }),
        ),
      );
    await record(1, { decision: 'first.json' });
    await record(2, { decision: 'second.json', benchmarkImages: 'production.parquet' });
    board = await boardOver(store);
  });
  after(async () => {
    await board?.close();
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const record = (iteration: number, decided: Record<string, string>): Promise<unknown> =>
    updateLoopState(store, 'cars', (state) =>
      withAttempt(state, iteration, {
        ...{ runId: `run-${iteration}`, status: 'finished', error: null, force: null },
        config: loopConfigSchema.parse({ pool: 'cars' }),
        results: {
          draw: stepResult('draw', {}, { poolVersion: 1 }),
          train: stepResult('train', { scan: 'scan.onnx', card: 'card.json' }),
          evaluate: stepResult('evaluate', { images: 'candidate.parquet' }, { miou: 0.5 }),
          decide: stepResult('decide', decided),
        },
        recordedAt: '2026-05-01T08:00:00.000Z',
      }),
    );
  const pathOf = (iteration: number): string => `/loops/cars/${iteration}/worst`;
  /** The colour in the left half, which has no label. */
  const leftOf = async (iteration: number, at: number, layer: string): Promise<number[]> => {
    const response = await fetch(board.urlOf(`${pathOf(iteration)}/${pool.images[at]?.imageId}/${layer}.webp`));
    assert.equal(response.status, 200, await response.clone().text());
    const left = { left: 20, top: 40, width: 1, height: 1 };
    const picture = sharp(Buffer.from(await response.arrayBuffer()));
    const { width, height } = await picture.metadata();
    assert.deepEqual({ width, height }, SIZE);
    return [...(await picture.extract(left).removeAlpha().raw().toBuffer())];
  };

  it('show twelve pictures with the label and what both models see, beside each other', async () => {
    const { page, errors } = await open({ width: 1440, height: 900 });
    await page.goto(board.urlOf('/loops/cars'));
    await page.getByRole('link', { name: 'Worst test images' }).first().click();
    await page.getByText('In production, mIoU 0.').first().waitFor();
    assert.equal(await page.locator('section.worst').count(), 12);
    assert.equal(await page.locator('section.worst').first().locator('img').count(), 3);
    assert.equal(await page.locator('section.worst h2').first().textContent(), pool.images[0]?.fileName);
    await page.evaluate('Promise.all([...document.images].slice(0, 3).map((image) => image.decode()))');
    await takePicture(page, 'board-worst');
    assert.deepEqual(errors, []);
  });

  it('paint what a model sees, and leave out a model that there was not', async () => {
    const given = await leftOf(2, RED, 'given');
    for (const layer of ['candidate', 'production'])
      assert.notDeepEqual(await leftOf(2, RED, layer), given, `${layer} sees class 1 everywhere`);
    const dark = await leftOf(2, 0, 'candidate');
    assert.deepEqual(dark, await leftOf(2, 0, 'given'), 'nothing is seen there');
    const page = await (await fetch(board.urlOf(pathOf(1)))).text();
    assert.doesNotMatch(page, /production\.webp/);
    assert.match(page, /There was no model in production/);
  });

  it('are those of the page alone', async () => {
    const beyond = pool.images[COUNT - 1]?.imageId;
    for (const [path, wanted] of [
      [`${pathOf(2)}/${beyond}/given.webp`, 404],
      [`${pathOf(1)}/${pool.images[0]?.imageId}/production.webp`, 404],
      [`${pathOf(2)}/nothing/given.webp`, 400],
      [`${pathOf(9)}`, 404],
      ['/loops/cars/x/worst', 400],
      ['/loops/%3Cb%3E/1/worst', 400],
    ] as const)
      assert.equal((await fetch(board.urlOf(path))).status, wanted, path);
  });
});

const rowsOf = ({ images }: ScannedPool) =>
  images.map(({ imageId, fileName }, at) => ({
    ...{ imageId, fileName, vehicleId: null, ...NO_TAGS },
    ...{ confusion: [1, 0, 50, 1, 1, 50], boundary: [], imageMiou: at / 100, calibration: null },
  }));
