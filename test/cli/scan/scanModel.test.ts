import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uploadScanModel } from '../../../cli/scan/scanModel.js';
import { PartloopError } from '../../../domain/base/errors.js';
import { NO_FACTS } from '../../../formats/reading/importItem.js';
import { picture, runImport } from '../../support/pictures/pictures.js';
import { memoryStore } from '../../support/standIns/memoryStore.js';

describe('a scan with a user’s model', () => {
  let folder: string;
  const store = memoryStore();
  const given = (file: string, card?: string) =>
    uploadScanModel(store, { scan: 'scan-1', pool: 'cars', file, card, unseen: true });
  const refused = (work: Promise<unknown>, words: RegExp) =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof PartloopError);
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /ENOENT|errno|no such file or directory/);
      return true;
    });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-model-'));
    await writeFile(join(folder, 'net.onnx'), 'x');
    const pixels = new Uint8Array(24 * 16).fill(1);
    const image = { kind: 'bytes' as const, read: () => picture(1) };
    await runImport(store, [{ fileName: '1.jpg', image, label: async () => ({ pixels, notes: [] }), facts: NO_FACTS }]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is refused without its description, with the file that is missing and its place', async () => {
    await refused(given(join(folder, 'net.onnx')), /^the model has no description: there is no .*model\.json$/);
    const elsewhere = join(folder, 'other.json');
    await refused(given(join(folder, 'net.onnx'), elsewhere), /there is no .*other\.json$/);
    await refused(given(join(folder, 'net.onnx'), folder), /is not a file$/);
  });

  it('is refused with the position at which its description is no JSON', async () => {
    const card = join(folder, 'bad.json');
    await writeFile(card, '{"size": 64,\n "classes": [}');
    await refused(given(join(folder, 'net.onnx'), card), /bad\.json is not JSON: line 2, column 15/);
  });
});
