import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTagFile } from '../../formats/reading/tagFile.js';
import { save } from '../support/pictures/pictures.js';

describe('a tag file', function () {
  this.timeout(30_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const read = async (text: string) => readTagFile(await save(folder, 'tags.csv', text));

  it('gives tags, vehicle and split per image, and nothing for an empty cell', async () => {
    const tags = await read('file_name,angle,black,damage,vehicle_id,split\na.jpg,45,yes,1,v1,valid\nb.jpg,,,none,,\n');
    assert.deepEqual(tags.get('a.jpg'), {
      tags: { angle: 45, black: true, damage: '1' },
      vehicleId: 'v1',
      source: null,
      split: 'val',
    });
    assert.deepEqual(tags.get('b.jpg')?.tags, { damage: 'none' });
  });

  it('keeps quotes, hashes and apostrophes in cells, whatever else the file holds', async () => {
    const tags = await read("file_name,vehicle_id\n'a'.jpg,it's\n#4.jpg,v2\nb.jpg,'v3\nc.jpg,v4\n");
    assert.deepEqual(
      [...tags].map(([name, { vehicleId }]) => [name, vehicleId]),
      [
        ["'a'.jpg", "it's"],
        ['#4.jpg', 'v2'],
        ['b.jpg', "'v3"],
        ['c.jpg', 'v4'],
      ],
    );
  });

  it('is refused for all bad rows at once, with their number and the first ten', async () => {
    const rows = Array.from({ length: 14 }, (_, at) => `${at}.jpg,${at < 2 ? 45 : 20}`);
    await assert.rejects(read(`file_name,angle\n${rows.join('\n')}\n`), ({ message }: Error) => {
      assert.match(message, /has 12 bad rows; no row was taken:\nrow 3 \(2\.jpg\): tag angle is "20"/);
      assert.match(message, /row 12 \(11\.jpg\).*\n… and 2 more$/s);
      return true;
    });
  });

  it('is refused with the bad row and value', async () => {
    await assert.rejects(
      read('file_name,angle\na.jpg,45\nb.jpg,20\n'),
      /row 2 \(b\.jpg\): tag angle is "20"; allowed: 0, 15/,
    );
    await assert.rejects(read('file_name,blck\na.jpg,1\n'), /unknown columns: blck/);
    await assert.rejects(read('picture,black\na.jpg,1\n'), /has the columns picture, black/);
    await assert.rejects(read('file_name,black\na.jpg,1\na.jpg,0\n'), /a\.jpg appears twice/);
    await assert.rejects(readTagFile(join(folder, 'none.csv')), /^PartloopError: --tags .*none\.csv cannot be read/);
    await assert.rejects(readTagFile(join(folder, 'none.csv'), 'none.csv'), /^PartloopError: none\.csv cannot be read/);
  });
});
