import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scoreAudit } from '../../../bench/audit/score.js';
import { auditClasses, writeTaxonomy } from '../../../cli/audit/auditClasses.js';
import { medianStep } from '../../../cli/audit/auditPace.js';
import { cocoOutline } from '../../../formats/coco/outline.js';
import { matchClasses } from '../../../formats/reading/classMatcher.js';

const outlineOf = (...names: string[]) => ({
  categories: names.map((name, at) => ({ id: String(at + 1), name })),
  ...{ images: 1, longestSide: 10, sha256: 'a'.repeat(64) },
});

describe('the classes of an audit', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-classes-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('reach an import, whatever the categories are called', async () => {
    const names = [
      '_background_',
      '',
      '<img onerror=x>',
      'ignored',
      'Tür (L)',
      'Tür (R)',
      '\u202Ebad\u0000',
      'x'.repeat(1_024),
    ];
    const { taxonomy, rules, labelOf, mayFlip } = await auditClasses(outlineOf(...names), { taxonomy: undefined });
    const matched = matchClasses(names, taxonomy, rules, 'file');
    assert.deepEqual(
      names.map((name) => matched.get(name)),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual([...labelOf.values()], [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.equal(mayFlip, true);
  });

  it('mirror no picture if a side has no partner, until the edited taxonomy gives it one', async () => {
    const outline = outlineOf('left_arm', 'arm_of_the_right');
    const made = await auditClasses(outline, { taxonomy: undefined });
    assert.equal(made.mayFlip, false);
    const path = join(folder, 'edited.json');
    const [left, right] = made.taxonomy.classes;
    const classes = [
      { ...left, mirror: right?.name },
      { ...right, mirror: left?.name },
    ];
    await writeFile(path, JSON.stringify({ ...made.taxonomy, classes }));
    const edited = await auditClasses(outline, { taxonomy: path });
    assert.equal(edited.mayFlip, true);
    assert.equal(edited.taxonomy.classes[0]?.mirror, 'arm_of_the_right');
  });

  it('are refused if the edited taxonomy lacks one, by the name of its category', async () => {
    const path = join(folder, 'other.json');
    await writeFile(path, JSON.stringify({ name: 'other', classes: [{ name: 'door', group: 'major' }] }));
    await assert.rejects(auditClasses(outlineOf('Door', 'Roof'), { taxonomy: path }), /has no class for Roof/);
  });

  it('are written once, and never over an edited file', async () => {
    const { taxonomy } = await auditClasses(outlineOf('door'), { taxonomy: undefined });
    const path = join(folder, 'written.json');
    await writeTaxonomy(path, taxonomy);
    await writeFile(path, 'edited');
    await writeTaxonomy(path, taxonomy);
    assert.equal(await readFile(path, 'utf8'), 'edited');
  });
});

describe('the outline of a COCO file', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partloop-outline-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const outline = async (content: unknown) => {
    const path = join(folder, 'file.json');
    await writeFile(path, JSON.stringify(content));
    return cocoOutline(path);
  };
  const image = { id: 1, file_name: 'a.png', width: 30, height: 40 };

  it('has its categories in their order, its pictures, and a digest that any change changes', async () => {
    const file = {
      images: [image, { id: 2 }],
      categories: [
        { id: 9, name: 'b' },
        { id: 'x', name: '' },
      ],
      annotations: [],
    };
    const found = await outline(file);
    assert.deepEqual(
      { ...found, sha256: null },
      {
        categories: [
          { id: '9', name: 'b' },
          { id: 'x', name: '' },
        ],
        ...{ images: 2, longestSide: 40, sha256: null },
      },
    );
    assert.notEqual((await outline({ ...file, info: 1 })).sha256, found.sha256);
  });

  it('is refused without pictures or categories, and with categories that cannot be told apart or named', async () => {
    const categories = [{ id: 1, name: 'a' }];
    await assert.rejects(outline({ images: [], categories }), /lists no images/);
    await assert.rejects(outline({ images: [image] }), /lists no categories/);
    await assert.rejects(outline([1]), /lists no images/);
    await assert.rejects(outline({ images: [image], categories: [{ id: 1 }] }), /categories\[0\] lacks/);
    await assert.rejects(
      outline({ images: [image], categories: [...categories, { id: 1, name: 'b' }] }),
      /id 1 to two/,
    );
    const long = [{ id: 1, name: 'x'.repeat(1_025) }];
    await assert.rejects(outline({ images: [image], categories: long }), /categories\[0\] has 1025 letters/);
  });
});

describe('the measured pace of a training', () => {
  it('is the median of the steps after those that warm up, in seconds', () => {
    assert.equal(medianStep([0, 9_000, 9_500, 10_100, 10_600]), 0.5);
  });

  it('is unknown after too few steps', () => {
    assert.equal(medianStep([]), null);
    assert.equal(medianStep([0, 9_000]), null);
  });
});

describe('the score of an audit', () => {
  it('is the share of wrong labels among the first ones, and the share of the wrong ones that are reported', () => {
    const isWrong = (name: string): boolean => name.startsWith('w');
    assert.deepEqual(scoreAudit(['w1', 'r1', 'w2', 'w3'], isWrong, 6, 2), {
      looked: 2,
      wrong: 1,
      precision: 0.5,
      found: 0.5,
    });
    assert.deepEqual(scoreAudit([], isWrong, 0, 20), { looked: 0, wrong: 0, precision: null, found: null });
  });
});
