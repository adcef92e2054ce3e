import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartloopError } from '../../../domain/base/errors.js';
import { readClassNames } from '../../../formats/yolo/dataYaml.js';
import { save } from '../../support/pictures/pictures.js';

describe('the class names of a data.yaml', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pl-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const names = async (text: string): Promise<object | null> => {
    const found = await readClassNames(await save(folder, 'data.yaml', text));
    return found === null ? null : Object.fromEntries(found);
  };

  it('may be a list or a map, on one or many lines, with comments, quotes and Windows marks', async () => {
    const two = { 0: 'hood', 1: 'left_door' };
    for (const text of [
      "names: ['hood', 'left_door']  # class names\n",
      'nc: 2 # number of classes\nnames: [hood, "left_door"] # from: [a, b]\ntrain: images # names: [x]\n',
      'names: # of parts\n  - hood   # first\n  # nothing\n  - left_door\nval: 1\n',
      'names:\n- hood\n- left_door\n',
      'names: {0: hood, 1: left_door}\n',
      'names:\n  0: hood # a comment: 5: here\n  1: "left_door"\n',
      "names:\r\n  '0': hood\r\n  '1': left_door\r\n",
      '\uFEFFnames: [hood, left_door]\n',
      '# names: [a]\npath: ../names\nnames:\n  [\n    hood, # one\n    left_door,\n  ]\n',
      '---\nnames: &n [hood, left_door]\nmore: *n\n',
    ])
      assert.deepEqual(await names(text), two, text);
  });

  it('may have gaps, blanks, dashes and letters of any script', async () => {
    assert.deepEqual(await names('names: {7: front door, 2: B-pillar, 11: Öl, 12: 3}\n'), {
      2: 'B-pillar',
      7: 'front door',
      11: 'Öl',
      12: '3',
    });
  });

  it('are null if there is no file', async () => {
    assert.equal(await readClassNames(join(folder, 'data.yaml')), null);
  });

  it('are refused with the line if the file is no YAML, or has no names', async () => {
    const refused = async (text: string, message: RegExp): Promise<void> => {
      await assert.rejects(
        names(text),
        (error) => error instanceof PartloopError && error.code === 'input-invalid' && message.test(error.message),
        text,
      );
    };
    await refused('names:\n  - hood\n - wheel: [\n', /data\.yaml:3:\d+ is not YAML/);
    await refused('nc: 3\n', /lists no class names/);
    await refused('', /lists no class names/);
    await refused('names: []\n', /lists no class names/);
    await refused('names: hood\n', /lists no class names/);
    await refused('names: {0: hood, 1: wheel, 0: mirror}\n', /names a class twice/);
    await refused('names: [hood, wheel]\nnc: 2\nnames: [wheel, hood]\n', /has `names` twice/);
    await refused('names: [hood, wheel]\n---\nnames: [wheel, hood]\n', /is not YAML/);
    await refused('names: {hood: 0}\n', /lists no class names/);
    await refused('names: [[hood]]\n', /lists no class names/);
    await refused(`names:\n  ${'1'.repeat(200_000)}${' '.repeat(50_000)}\n`, /lists no class names/);
    await refused(`names: [${'a'.repeat(300_000)}]\n`, /not a list of names/);
    await refused(`names: ${'['.repeat(20_000)}\n`, /is not YAML/);
    const bomb = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}]\n`);
    await refused(`a0: &a0 [x, x]\n${bomb.join('')}names: *a12\n`, /YAML/);
  });

  it("are refused if a folder has the file's name", async () => {
    await mkdir(join(folder, 'data.yaml'));
    await assert.rejects(readClassNames(join(folder, 'data.yaml')), PartloopError);
  });
});
