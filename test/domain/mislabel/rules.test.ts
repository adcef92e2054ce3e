import assert from 'node:assert/strict';
import { analyseImage } from '../../../domain/mislabel/index.js';
import type { FindingKind } from '../../../domain/tables.js';
import { NO_TAGS, type Tags } from '../../../domain/tags.js';
import { carParts34 } from '../../../domain/taxonomies/carParts34.js';
import { dsmlr18 } from '../../../domain/taxonomies/dsmlr18.js';
import { labelNames, parseTaxonomy, type Taxonomy } from '../../../domain/taxonomy.js';
import { fill, seen } from './scene.js';

const SIZE = 100;
const RULES: readonly FindingKind[] = ['impossible_view', 'impossible_pair', 'wrong_side', 'odd_size', 'too_many'];

type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** Rule findings of a label that the model agrees with, as `kind part`. */
function broken(
  taxonomy: Taxonomy,
  parts: readonly (readonly [name: string, box: Box])[],
  tags: Partial<Tags> = {},
): string[] {
  const names = labelNames(taxonomy);
  const label = new Uint8Array(SIZE * SIZE);
  for (const [name, box] of parts) {
    assert.ok(names.includes(name), name);
    fill(label, SIZE, box, names.indexOf(name));
  }
  const { candidates } = analyseImage(seen(label, label, SIZE), taxonomy, { ...NO_TAGS, ...tags });
  return candidates
    .filter(({ kind }) => RULES.includes(kind))
    .map(({ kind, classId }) => `${kind} ${names[classId]}`)
    .sort();
}

describe('what the taxonomy alone says against a label', () => {
  const front: [string, Box][] = [
    ['hood', [20, 20, 80, 40]],
    ['grille', [40, 42, 60, 50]],
    ['front_bumper', [20, 55, 80, 75]],
    ['right_headlight', [20, 42, 35, 50]],
    ['left_headlight', [65, 42, 80, 50]],
  ];

  it('says nothing against a car seen from the front', () => {
    assert.deepEqual(broken(carParts34, front, { angle: 0, orientation: 'none' }), []);
  });

  it('names a part that is hidden from the tagged angle', () => {
    assert.deepEqual(broken(carParts34, [...front, ['rear_window', [30, 5, 70, 18]]], { angle: 0 }), [
      'impossible_view rear_window',
    ]);
  });

  it('allows an angle that is tagged one step off', () => {
    assert.deepEqual(broken(carParts34, [['grille', [40, 42, 60, 50]]], { angle: 105 }), []);
    assert.deepEqual(broken(carParts34, [['grille', [40, 42, 60, 50]]], { angle: 120 }), ['impossible_view grille']);
  });

  it('names the flank of the side that the tag says is not seen', () => {
    assert.deepEqual(broken(carParts34, [['right_front_door', [30, 30, 70, 70]]], { orientation: 'left' }), [
      'impossible_view right_front_door',
    ]);
    assert.deepEqual(broken(carParts34, [['right_mirror', [30, 30, 50, 50]]], { orientation: 'left' }), []);
  });

  it('names the smaller of two flanks that no picture shows together', () => {
    assert.deepEqual(
      broken(carParts34, [
        ['left_front_door', [10, 30, 50, 70]],
        ['left_rear_door', [50, 30, 90, 70]],
        ['right_fender', [10, 10, 30, 25]],
      ]),
      ['impossible_pair right_fender', 'impossible_view right_fender'],
    );
  });

  it('names a lamp on the wrong side of the others', () => {
    const behind: [string, Box][] = [
      ['left_taillight', [10, 30, 20, 45]],
      ['left_reflector', [12, 60, 20, 66]],
      ['right_taillight', [80, 30, 90, 45]],
      ['right_reflector', [80, 60, 88, 66]],
    ];
    assert.deepEqual(broken(carParts34, behind), []);
    assert.deepEqual(broken(carParts34, [...behind, ['right_side_roof', [2, 5, 8, 20]]]), [
      'wrong_side right_side_roof',
    ]);
  });

  it('names areas far from the range of their class, but not those that the picture cuts off or a close-up enlarges', () => {
    assert.deepEqual(broken(carParts34, [['license_plate', [10, 10, 90, 60]]]), ['odd_size license_plate']);
    assert.deepEqual(broken(carParts34, [['license_plate', [10, 10, 90, 60]]], { zoomed: true }), []);
    assert.deepEqual(broken(carParts34, [['right_front_door', [40, 40, 44, 44]]]), ['odd_size right_front_door']);
    assert.deepEqual(broken(carParts34, [['right_front_door', [0, 40, 4, 44]]]), []);
  });

  it('counts instances by the taxonomy: four wheels are a car, two roofs are not', () => {
    const wheels = [0, 1, 2, 3].map((at): [string, Box] => ['wheel', [5 + 24 * at, 60, 20 + 24 * at, 75]]);
    assert.deepEqual(broken(carParts34, wheels), []);
    assert.deepEqual(
      broken(carParts34, [
        ['roof', [10, 10, 40, 20]],
        ['roof', [60, 10, 80, 20]],
      ]),
      ['too_many roof'],
    );
  });

  it('holds for another taxonomy by its own data, and breaks nothing where one declares nothing', () => {
    assert.deepEqual(broken(dsmlr18, [['hood', [20, 20, 80, 40]]], { angle: 180 }), ['impossible_view hood']);
    assert.deepEqual(
      broken(dsmlr18, [
        ['front_left_door', [10, 30, 50, 70]],
        ['back_right_door', [60, 30, 80, 60]],
      ]),
      ['impossible_pair back_right_door', 'impossible_view back_right_door'],
    );
    const bare = parseTaxonomy(
      { name: 'bare', classes: ['a', 'b', 'c'].map((name) => ({ name, group: 'major', maxInstances: 8 })) },
      'test',
    );
    assert.deepEqual(
      broken(
        bare,
        [
          ['a', [0, 0, 50, 50]],
          ['b', [60, 0, 90, 20]],
          ['c', [60, 30, 64, 34]],
        ],
        { angle: 90, orientation: 'left' },
      ),
      [],
    );
  });
});
