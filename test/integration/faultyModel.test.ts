import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { z } from 'zod';
import { openPool } from '../../storage/pool/pool.js';
import { storeOfHome } from '../chaos/home.js';
import { partloop, partloopJson } from '../support/cli.js';
import { givenCard } from '../support/models/givenModel.js';
import { canCrash, type Fault, faultyPicture, writeFaulty } from '../support/models/tinyModel.js';
import { CRASH_MARK, markedPicture, withFaultyChildren } from '../support/pictures/crashSharp.js';
import { mask, TAXONOMY } from '../support/pictures/pictures.js';

const SIDE = 64;
const PICTURES: Fault[] = [...Array.from({ length: 12 }, () => 'none' as const), 'crash', 'hang', 'crash', 'hang'];
const statusSchema = z.object({
  processes: z.array(
    z.object({
      name: z.string(),
      restarts: z.number(),
      lastExit: z.string().nullable(),
      worker: z.object({ does: z.string() }).nullable(),
    }),
  ),
  queues: z.array(z.object({ queue: z.string(), kind: z.string(), pollers: z.array(z.string()) })),
});

describe('a scan by a faulty model', function () {
  this.timeout(6 * 60_000);
  let home: string;

  before(async function () {
    if (!canCrash) return this.skip();
    home = await mkdtemp(join(tmpdir(), 'partloop-faulty-'));
    await mkdir(join(home, 'photos'));
    const images = PICTURES.map((fault, n) => ({
      id: n + 1,
      file_name: `${fault}-${n}.png`,
      width: SIDE,
      height: SIDE,
    }));
    for (const [n, fault] of PICTURES.entries()) {
      const rgb = faultyPicture(SIDE, fault, 20 * n);
      const picture = sharp(rgb, { raw: { width: SIDE, height: SIDE, channels: 3 } });
      await picture.png().toFile(join(home, 'photos', images[n]?.file_name ?? ''));
    }
    const half = [0, 0, SIDE / 2, 0, SIDE / 2, SIDE, 0, SIDE];
    await writeFile(
      join(home, 'train.json'),
      JSON.stringify({
        images,
        categories: TAXONOMY.classes.map(({ name }, index) => ({ id: index + 1, name })),
        annotations: images.map(({ id }) => ({
          ...{ id, image_id: id, category_id: 1, iscrowd: 0, area: (SIDE * SIDE) / 2 },
          ...{ bbox: [0, 0, SIDE / 2, SIDE], segmentation: [half] },
        })),
      }),
    );
    await writeFile(join(home, 'taxonomy.json'), JSON.stringify(TAXONOMY));
    const files = ['--images', join(home, 'photos'), '--annotations', join(home, 'train.json')];
    await partloopJson(home, ['import', 'coco', ...files, '--taxonomy', join(home, 'taxonomy.json'), '--pool', 'cars']);
  });
  after(async () => {
    if (home === undefined) return;
    await partloop(home, ['down']);
    await rm(home, { recursive: true, force: true });
  });

  /** Options that let this model judge as one of ours. */
  async function judging(always?: Fault): Promise<string[]> {
    const folder = join(home, always ?? 'some');
    await mkdir(folder, { recursive: true });
    const file = await writeFaulty(join(folder, 'scan.onnx'), SIDE, TAXONOMY.classes.length, always);
    const digest = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    const { taxonomy } = await openPool(await storeOfHome(home), 'cars');
    await writeFile(join(folder, 'model.json'), JSON.stringify(givenCard(taxonomy, SIDE, digest)));
    const settings = ['durability.inferenceStallSeconds=3', 'durability.scanHeartbeatSeconds=5', 'scan.sessions=1'];
    return ['scan', 'run', '--pool', 'cars', '--model', file, '--unseen', '--wait', '--set', ...settings];
  }

  const status = async () => statusSchema.parse(await partloopJson(home, ['status']));

  it('may follow an import in which a picture crashes the decoder', async () => {
    await mkdir(join(home, 'more'));
    await writeFile(join(home, 'more', 'mask.png'), await mask(1, 64, 64));
    const marks = [null, null, CRASH_MARK, null];
    for (const [n, mark] of marks.entries())
      await writeFile(join(home, 'more', `${n}.png`), await markedPicture(mark, 200 + n));
    const lines = marks.map((_, n) => JSON.stringify({ image: `${n}.png`, label: 'mask.png' }));
    await writeFile(join(home, 'more', 'all.jsonl'), lines.join('\n'));
    const files = ['--manifest', join(home, 'more', 'all.jsonl'), '--taxonomy', join(home, 'taxonomy.json')];
    const report = await withFaultyChildren(() =>
      partloopJson(home, ['import', 'masks', ...files, '--pool', 'others']),
    );
    const { added, refused } = z.looseObject({ added: z.number(), refused: z.array(z.unknown()) }).parse(report);
    assert.equal(added, 3);
    assert.deepEqual(refused, [
      { fileName: '2.png', reason: '2.png ended the process that decoded it 3 times (SIGSEGV)' },
    ]);
  });

  it('names such pictures and ends, even if they crash or hang its worker', async () => {
    const found = z
      .looseObject({ scanId: z.string(), scanned: z.number(), errors: z.number() })
      .parse(await partloopJson(home, await judging()));
    const { images } = z
      .object({ images: z.array(z.object({ fileName: z.string(), error: z.string().nullable() })) })
      .parse(await partloopJson(home, ['scan', 'show', found.scanId]));
    // Some of the pictures are validation images, which no scan reads.
    const faulty = images.filter(({ fileName }) => !fileName.startsWith('none'));
    assert.deepEqual([...new Set(faulty.map(({ fileName }) => fileName.split('-')[0]))].sort(), ['crash', 'hang']);
    for (const { fileName, error } of images) {
      if (fileName.startsWith('none')) assert.equal(error, null);
      const how = fileName.startsWith('crash')
        ? /ended the process that judged it 3 times \(SIG/
        : /3 times \(no answer/;
      if (!fileName.startsWith('none')) assert.match(error ?? '', how);
    }
    assert.deepEqual([found.scanned, found.errors], [images.length - faulty.length, faulty.length]);
    const worker = (await status()).processes.find(({ name }) => name === 'worker-scan');
    assert.ok((worker?.restarts ?? 0) >= 1, JSON.stringify(worker));
    assert.notEqual(worker?.lastExit, 'exit code 0');
  });

  it('is refused in plain words if the model gives no number', async () => {
    const { code, stderr } = await partloop(home, await judging('nan'));
    assert.equal(code, 4, stderr);
    assert.match(stderr, /cannot judge 8 of 8 pictures that it was tried on.*gives no number \(NaN or infinity\)/s);
  });

  it('leaves workers that are known to ask for work', async () => {
    for (;;) {
      const { processes, queues } = await status();
      const workers = processes.filter(({ name }) => name.startsWith('worker-'));
      if (!workers.every(({ worker }) => worker?.does === 'polls')) {
        await sleep(500);
        continue;
      }
      assert.deepEqual(
        queues.map(({ queue, kind, pollers }) => [queue, kind, pollers.length > 0]),
        [
          ['partloop', 'workflow', true],
          ['partloop', 'activity', true],
          ['partloop-scan', 'activity', true],
          ['partloop-train', 'activity', true],
        ],
      );
      break;
    }
  });
});
