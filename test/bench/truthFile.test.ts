import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scoreTruthFile } from '../../bench/detect/truthFile.js';
import { PartloopError } from '../../domain/base/errors.js';

describe('a scan against a truth file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-truth-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const write = async (name: string, lines: readonly string[]): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `${lines.join('\n')}\n`);
    return path;
  };

  it('joins on the file name, quotes included, and counts images that only one of the two has', async () => {
    const truth = await write('truth.csv', ['file_name,wrong', '"a, b.jpg",1', 'c.jpg,false', 'gone.jpg,0']);
    const scan = await write('images.csv', [
      'image_id,file_name,label_quality,p_mislabelled,kinds',
      '1,"a, b.jpg",0.1,0.9,"missing_part,hole"',
      '2,c.jpg,0.8,0.2,',
      '3,new.jpg,0.5,0.5,',
    ]);
    const score = await scoreTruthFile(truth, scan);
    assert.deepEqual(
      { images: score.images, wrong: score.wrong, unknown: score.unknown, unscanned: score.unscanned },
      { images: 2, wrong: 1, unknown: 1, unscanned: 1 },
    );
    assert.equal(score.ranking.auroc, 1);
  });

  it('names the wrong file and line', async () => {
    const scan = await write('images.csv', ['file_name,p_mislabelled', 'a.jpg,0.5']);
    const refuses = async (lines: readonly string[], words: RegExp): Promise<void> => {
      const truth = await write('truth.csv', lines);
      await assert.rejects(
        scoreTruthFile(truth, scan),
        (error) => error instanceof PartloopError && error.code === 'input-invalid' && words.test(error.message),
      );
    };
    await refuses(['file_name,wrong', 'a.jpg,maybe'], /truth\.csv, line 2: wrong is `maybe`/);
    await refuses(['name,wrong', 'a.jpg,1'], /no column `file_name`/);
    await refuses(['file_name,wrong', 'b.jpg,1'], /no image in common/);
  });
});
