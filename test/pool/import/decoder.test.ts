import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMaskManifest } from '../../../formats/masks/import.js';
import { withDecoderApart } from '../../../pool/import/decoder.js';
import { importImages } from '../../../pool/import/importImages.js';
import { openPool } from '../../../storage/pool/pool.js';
import { CRASH_MARK, markedPicture, withFaultyChildren } from '../../support/pictures/crashSharp.js';
import { mask, picture, save, TAXONOMY } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

const now = new Date('2026-01-01T00:00:00Z');
const options = { now, onProgress: () => undefined };

describe('an import that decodes pictures in another process', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-decoder-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('refuses a picture by name if it ends the process, and takes the rest', async () => {
    const lines: object[] = [];
    await save(folder, 'mask.png', await mask(1, 64, 64));
    for (let n = 0; n < 9; n++) {
      await save(folder, `${n}.png`, await markedPicture(n === 4 ? CRASH_MARK : null, n));
      lines.push({ image: `${n}.png`, label: 'mask.png' });
    }
    const manifest = await save(folder, 'all.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
    const store = memoryStore();
    const report = await withFaultyChildren(() =>
      withDecoderApart((decoder) =>
        importImages(store, 'cars', TAXONOMY, readMaskManifest({ manifest }), { ...options, decoder }),
      ),
    );
    assert.equal(report.added, 8);
    assert.deepEqual(report.refused, [
      { fileName: '4.png', reason: '4.png ended the process that decoded it 3 times (SIGSEGV)' },
    ]);
  });

  it('adds the same rows as one that decodes here, and refuses for the same reasons', async () => {
    const lines: object[] = [];
    const masks = { good: await mask(2), colours: await picture(9), wide: await mask(1, 25), value: await mask(9) };
    for (const [n, [name, bytes]] of Object.entries(masks).entries()) {
      await save(folder, `${name}.jpg`, n === 1 ? (await picture(n)).subarray(0, 200) : await picture(n));
      await save(folder, `${name}.png`, bytes);
      lines.push({ image: `${name}.jpg`, label: `${name}.png` });
    }
    lines.push({ image: 'good.png', label: 'colours.png' });
    const manifest = await save(folder, 'all.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
    const here = memoryStore();
    const apart = memoryStore();
    const entries = () => readMaskManifest({ manifest });
    const one = await importImages(here, 'cars', TAXONOMY, entries(), options);
    const other = await withDecoderApart((decoder) =>
      importImages(apart, 'cars', TAXONOMY, entries(), { ...options, decoder }),
    );
    assert.deepEqual(other, one);
    assert.deepEqual([one.added, one.refused.length], [1, 4]);
    const rowsOf = async (store: typeof here) => (await openPool(store, 'cars')).readIndex(1);
    assert.deepEqual(await rowsOf(apart), await rowsOf(here));
  });
});
