import assert from 'node:assert/strict';
import fc from 'fast-check';
import { meaningOf, plainClassName } from '../../../domain/taxonomies/categoryNames.js';
import { taxonomyFromCategories } from '../../../domain/taxonomies/fromCategories.js';
import { parseTaxonomy, unmirroredSides } from '../../../domain/taxonomy.js';

const made = (...categories: string[]) => taxonomyFromCategories(categories, 'audit');
const classes = (...categories: string[]): string[] => made(...categories).taxonomy.classes.map(({ name }) => name);
const mirrors = (...categories: string[]): (string | null)[] =>
  made(...categories).taxonomy.classes.map(({ mirror }) => mirror);

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: 'grapheme', maxLength: 1_024 }),
  fc.constantFrom(
    ...[
      '',
      ' ',
      '<img src=x onerror=alert(1)>',
      '\u202Edoor\u202C',
      'a\u0000b',
      'background',
      '_background_',
      '_ignored_',
    ],
    ...[
      'ignored',
      'Back ground',
      '__proto__',
      'constructor',
      'Left Door',
      'left-door',
      'right_door',
      'Tür (L)',
      'Tür (R)',
    ],
  ),
);

describe('a taxonomy from categories', () => {
  it('has the categories in their order, by their plain names, without background and ignored pixels', () => {
    assert.deepEqual(classes('_background_', 'Front Door', 'wheel', '_ignored_', 'Licence-Plate'), [
      ...['front_door', 'wheel', 'licence_plate'],
    ]);
    const { classOf } = made('_background_', 'Front Door', '_ignored_');
    assert.deepEqual([...classOf.values()], ['background', 'front_door', 'ignored']);
  });

  it('forbids nothing that a label of other things than cars may show', () => {
    for (const { adjacent, angles, side, areaShare, maxInstances } of made('left_arm', 'right_arm').taxonomy.classes)
      assert.deepEqual([adjacent, angles, side, areaShare, maxInstances], [[], null, null, null, 64]);
  });

  it('renames what no class may be called, and says so', () => {
    const { renamed, classOf } = made('<img onerror=x>', 'Tür', 'ignored', 'back/ground', '日本', '', 'img_onerror_x');
    assert.deepEqual(
      renamed.map((one) => one.class),
      ['img_onerror_x_2', 'tur', 'ignored_2', 'back_ground', 'unnamed', 'unnamed_2'],
    );
    assert.equal(classOf.get('img_onerror_x'), 'img_onerror_x');
  });

  it('merges categories that differ in case, blanks and dashes alone, and says so', () => {
    const { taxonomy, merged } = made('Door', 'door', 'wheel', 'door');
    assert.deepEqual(
      taxonomy.classes.map(({ name }) => name),
      ['door', 'wheel'],
    );
    assert.deepEqual(merged, [{ category: 'door', class: 'door' }]);
  });

  it('refuses a file without a class, and one with more than a taxonomy can have', () => {
    assert.throws(() => made('background'), /no category but background/);
    assert.throws(() => made(), /no category but background/);
    assert.throws(() => made(...Array.from({ length: 255 }, (_, at) => `class ${at}`)), /255 categories.*254/);
    assert.equal(classes(...Array.from({ length: 254 }, (_, at) => `class ${at}`)).length, 254);
  });

  it('is a valid taxonomy whatever the names, with a class for each', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 30 }), (names) => {
        const parts = new Set(names.map(plainClassName).filter((name) => meaningOf(name) === null));
        if (parts.size === 0) return;
        const { taxonomy, classOf, unpaired } = made(...names);
        assert.deepEqual(parseTaxonomy(JSON.parse(JSON.stringify(taxonomy)), 'made'), taxonomy);
        assert.equal(taxonomy.classes.length, parts.size);
        const known = new Set(['background', 'ignored', ...taxonomy.classes.map(({ name }) => name)]);
        for (const name of names) assert.ok(known.has(classOf.get(plainClassName(name)) ?? ''), name);
        assert.equal(new Set(classOf.values()).size, classOf.size - ignoredTwice(classOf));
        if (unpaired.length === 0) assert.deepEqual(unmirroredSides(taxonomy), []);
      }),
    );
  });
});

/** `background` and `_background_` mean the same, and no class may be called so. */
const ignoredTwice = (classOf: ReadonlyMap<string, string>): number =>
  [...classOf.values()].filter((name) => name === 'background').length === 2 ? 1 : 0;

describe('the mirror pairs of a taxonomy from categories', () => {
  it('are names that differ in the side alone, wherever it stands and however it is spelt', () => {
    for (const [left, right] of [
      ['left_door', 'right_door'],
      ['front_left_door', 'front_right_door'],
      ['Door (L)', 'Door (R)'],
      ['LH mirror', 'RH mirror'],
      ['doorLeft', 'doorRight'],
      ['LeftDoor', 'RightDoor'],
      ['Left', 'Right'],
    ] as const) {
      const [first, second] = classes(left, right);
      assert.deepEqual(mirrors(left, right), [second, first], left);
    }
  });

  it('are no names that only contain these letters, or that are a letter', () => {
    for (const [left, right] of [
      ['cleft', 'cright'],
      ['l', 'r'],
      ['left_door', 'right_wheel'],
      ['door_l', 'door_rh'],
      ['left_to_right', 'right_to_left'],
    ] as const)
      assert.deepEqual(mirrors(left, right), [null, null], left);
  });

  it('tell a side without a partner, but no letter without one', () => {
    assert.deepEqual(made('left_door', 'right_wheel', 'plan_r', 'copyright').unpaired, ['left_door', 'right_wheel']);
  });

  it('are none if two names have the same partner', () => {
    assert.deepEqual(made('left door', 'left, door', 'right door').unpaired.length, 3);
  });
});
