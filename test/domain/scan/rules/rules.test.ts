import assert from 'node:assert/strict';
import { preparePicture, viewLabel } from '../../../../domain/scan/image/picture.js';
import { findWrongClass } from '../../../../domain/scan/image/wrongClass.js';
import { analyseImage } from '../../../../domain/scan/index.js';
import { countBreaks, findRuleBreaks } from '../../../../domain/scan/rules/rules.js';
import type { FindingKind } from '../../../../domain/tables.js';
import { NO_TAGS, type Tags } from '../../../../domain/tags.js';
import { carParts34 } from '../../../../domain/taxonomies/carParts34.js';
import { dsmlr18 } from '../../../../domain/taxonomies/dsmlr18.js';
import { labelNames, parseTaxonomy, type Taxonomy } from '../../../../domain/taxonomy.js';
import { fill, seen } from '../scene.js';

const SIZE = 100;

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
    .filter(({ kind, rule }) => rule && kind !== 'hole')
    .map(({ kind, classId }) => `${kind} ${names[classId]}`)
    .sort();
}

describe('the rules of the taxonomy', () => {
  const front: [string, Box][] = [
    ['hood', [20, 20, 80, 40]],
    ['grille', [40, 42, 60, 50]],
    ['front_bumper', [20, 55, 80, 75]],
    ['right_headlight', [20, 42, 35, 50]],
    ['left_headlight', [65, 42, 80, 50]],
  ];

  it('allow a car seen from the front', () => {
    assert.deepEqual(broken(carParts34, front, { angle: 0, orientation: 'none' }), []);
  });

  it('name a part that is hidden from the tagged angle', () => {
    assert.deepEqual(broken(carParts34, [...front, ['rear_window', [30, 2, 70, 14]]], { angle: 0 }), [
      'impossible_view rear_window',
    ]);
  });

  it('allow an angle that is one step from the tag', () => {
    assert.deepEqual(broken(carParts34, [['grille', [40, 42, 60, 50]]], { angle: 105 }), []);
    assert.deepEqual(broken(carParts34, [['grille', [40, 42, 60, 50]]], { angle: 120 }), ['impossible_view grille']);
  });

  it('name the flank on the side that the tag hides', () => {
    assert.deepEqual(broken(carParts34, [['right_front_door', [30, 30, 70, 70]]], { orientation: 'left' }), [
      'impossible_view right_front_door',
    ]);
    assert.deepEqual(broken(carParts34, [['right_mirror', [30, 30, 50, 50]]], { orientation: 'left' }), []);
  });

  it('name the smaller of two flanks that no picture shows together', () => {
    assert.deepEqual(
      broken(carParts34, [
        ['left_front_door', [10, 30, 50, 70]],
        ['left_rear_door', [50, 30, 90, 70]],
        ['right_fender', [10, 10, 30, 25]],
      ]),
      ['impossible_pair right_fender', 'impossible_view right_fender'],
    );
  });

  it('name a lamp on the wrong side of the others', () => {
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

  it('name a part whose neighbours are all wrong, even across a narrow gap, unless it touches little', () => {
    const flank: [string, Box][] = [
      ['left_front_door', [10, 40, 50, 80]],
      ['left_rear_door', [50, 40, 90, 80]],
    ];
    const tall: [string, Box][] = [...flank, ['license_plate', [40, 10, 60, 40]]];
    assert.deepEqual(broken(carParts34, [...flank, ['license_plate', [40, 30, 60, 40]]]), [
      'odd_neighbours license_plate',
    ]);
    assert.deepEqual(broken(carParts34, [...flank, ['license_plate', [40, 29, 60, 39]]]), [
      'odd_neighbours license_plate',
    ]);
    assert.deepEqual(broken(carParts34, tall), []);
    assert.deepEqual(broken(carParts34, [...flank, ['left_front_window', [20, 25, 60, 40]]]), []);
  });

  it('name areas far outside the range of their class, unless the picture cuts them off or is a close-up', () => {
    assert.deepEqual(broken(carParts34, [['license_plate', [10, 10, 90, 60]]]), ['odd_size license_plate']);
    assert.deepEqual(broken(carParts34, [['license_plate', [10, 10, 90, 60]]], { zoomed: true }), []);
    assert.deepEqual(broken(carParts34, [['right_front_door', [40, 40, 44, 44]]]), ['odd_size right_front_door']);
    assert.deepEqual(broken(carParts34, [['right_front_door', [0, 40, 4, 44]]]), []);
  });

  it('count instances by the taxonomy: a car may have four wheels, but not two roofs', () => {
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

  it('follow the data of another taxonomy, and name nothing if it declares nothing', () => {
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

describe('broken rules about a part', () => {
  const view = (label: Uint8Array, mask: Uint8Array) =>
    viewLabel(preparePicture(seen(label, mask, SIZE), carParts34, {}), label);
  const labelOf = (name: string): number => labelNames(carParts34).indexOf(name);

  it('are counted by rule and part', () => {
    const label = new Uint8Array(SIZE * SIZE);
    fill(label, SIZE, [20, 20, 80, 40], labelOf('hood'));
    fill(label, SIZE, [30, 5, 70, 18], labelOf('rear_window'));
    const held = view(label, label);
    const breaks = findRuleBreaks(held, { ...NO_TAGS, angle: 0 });
    const window = held.labelled.components.list.find(({ value }) => value === labelOf('rear_window'));
    assert.deepEqual(breaks.map(({ kind }) => kind).sort(), ['impossible_view', 'odd_neighbours', 'odd_neighbours']);
    const counts = countBreaks([...breaks, ...breaks]);
    assert.equal(counts.size, 2);
    assert.equal(counts.get(window?.id ?? -1), 2);
    assert.equal(countBreaks([]).size, 0);
  });

  it('let the scan doubt a class that the model contradicts on a third of the part only', () => {
    const label = new Uint8Array(SIZE * SIZE);
    fill(label, SIZE, [20, 20, 80, 80], labelOf('rear_window'));
    const mask = new Uint8Array(SIZE * SIZE);
    fill(mask, SIZE, [20, 20, 80, 42], labelOf('windshield'));
    const held = view(label, mask);
    const doubts = (broken: ReadonlyMap<number, number>): FindingKind[] =>
      findWrongClass(held, broken).candidates.map(({ candidate }) => candidate.kind);
    assert.ok(!doubts(new Map()).includes('wrong_class'));
    const piece = held.labelled.components.list.find(({ value }) => value === labelOf('rear_window'));
    const found = findWrongClass(held, new Map([[piece?.id ?? -1, 1]])).candidates.find(
      ({ candidate }) => candidate.kind === 'wrong_class',
    );
    assert.equal(found?.candidate.suggestedClassId, labelOf('windshield'));
    assert.equal(found?.candidate.features.broken, 1);
  });
});
