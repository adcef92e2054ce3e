import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Adjacency,
  adjacencyOf,
  belongs,
  enclosureOf,
  fitsRather,
} from '../../../../domain/scan/image/adjacency.js';
import { type LabelView, preparePicture, viewLabel } from '../../../../domain/scan/image/picture.js';
import { carParts34 } from '../../../../domain/taxonomies/carParts34.js';
import { adjacencyTable, IGNORE_INDEX, labelNames } from '../../../../domain/taxonomy.js';
import { fill, seen } from '../scene.js';

const SIZE = 100;
const names = labelNames(carParts34);
const adjacent = adjacencyTable(carParts34);
const labelOf = (name: string): number => names.indexOf(name);
const [hood, windshield, grille, taillight] = ['hood', 'windshield', 'grille', 'left_taillight'].map(labelOf) as [
  number,
  number,
  number,
  number,
];

function around(paint: (label: Uint8Array) => void): { view: LabelView; found: Adjacency } {
  const label = new Uint8Array(SIZE * SIZE);
  paint(label);
  const view = viewLabel(preparePicture(seen(label, label, SIZE), carParts34, {}), label);
  const box = { x0: 40, y0: 40, x1: 60, y1: 60 };
  const inside = (pixel: number): boolean => {
    const [x, y] = [pixel % SIZE, Math.floor(pixel / SIZE)];
    return x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1;
  };
  return { view, found: adjacencyOf(view, box, inside) };
}

describe('the surroundings of a region', () => {
  it('are counted in pixel sides, over gaps of an edge width, but not over ignored pixels', () => {
    const { found } = around((label) => {
      fill(label, SIZE, [40, 20, 60, 39], windshield);
      fill(label, SIZE, [40, 60, 50, 80], grille);
      fill(label, SIZE, [60, 40, 61, 60], IGNORE_INDEX);
      fill(label, SIZE, [61, 40, 70, 60], taillight);
      fill(label, SIZE, [10, 40, 30, 60], taillight);
    });
    assert.equal(found.rim, 80);
    assert.equal(found.adjoining, 10);
    assert.equal(enclosureOf(found), 10 / 80);
    assert.deepEqual(
      [...found.touched],
      [
        [windshield, 20],
        [grille, 10],
      ],
    );
  });

  it('say how well a class fits there, and nothing if nothing touches or the class declares no neighbours', () => {
    const { found } = around((label) => {
      fill(label, SIZE, [40, 20, 60, 40], windshield);
      fill(label, SIZE, [60, 40, 80, 60], taillight);
    });
    assert.equal(belongs(found, hood, adjacent), 0.5);
    assert.equal(belongs(found, grille, adjacent), 0);
    assert.equal(belongs(found, hood, []), null);
    assert.equal(belongs(around(() => {}).found, hood, adjacent), null);
  });

  it('favour the one of two classes that alone has the touching class as a neighbour', () => {
    const { found } = around((label) => {
      fill(label, SIZE, [40, 20, 60, 40], windshield);
      fill(label, SIZE, [60, 40, 80, 60], grille);
    });
    assert.equal(fitsRather(found, taillight, hood, adjacent), 1);
    assert.equal(fitsRather(found, hood, taillight, adjacent), -1);
    assert.equal(fitsRather(found, hood, hood, adjacent), 0);
    assert.equal(fitsRather(around(() => {}).found, hood, taillight, adjacent), 0);
  });

  it('favour one class as much as they oppose the other, between -1 and 1', () => {
    const value = fc.integer({ min: 1, max: carParts34.classes.length });
    const touched = fc.array(fc.tuple(value, fc.integer({ min: 1, max: 50 })), { maxLength: 6 });
    fc.assert(
      fc.property(touched, value, value, (sides, one, two) => {
        const found = { rim: 400, adjoining: 0, touched: new Map(sides) };
        const fit = fitsRather(found, one, two, adjacent);
        assert.ok(fit >= -1 && fit <= 1);
        assert.ok(Math.abs(fit + fitsRather(found, two, one, adjacent)) < 1e-12);
      }),
    );
  });
});

describe('the adjacency of a taxonomy', () => {
  it('is mutual, whichever class declares it', () => {
    for (let a = 1; a < names.length; a++)
      for (let b = 1; b < names.length; b++) assert.equal(adjacent[a]?.[b], adjacent[b]?.[a]);
    assert.equal(adjacent[hood]?.[windshield], 1);
    assert.equal(adjacent[hood]?.[taillight], 0);
  });
});
