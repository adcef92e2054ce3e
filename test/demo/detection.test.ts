import assert from 'node:assert/strict';
import { type Detection, detectionByKind, type Judged } from '../../demo/detection.js';
import type { PlantedError } from '../../demo/spoil/truth.js';
import type { FindingKind } from '../../domain/tables.js';

const error = (
  kind: PlantedError['kind'],
  box: PlantedError['box'],
  classId: number | null = 0,
  trueClassId: number | null = 5,
): PlantedError => ({ kind, classId, trueClassId, box });
const finding = (kind: FindingKind, [x0, y0, x1, y1]: readonly [number, number, number, number], pWrong = 0.9) => ({
  kind,
  pWrong,
  x0,
  y0,
  x1,
  y1,
});
const image = (planted: PlantedError[], findings: Judged['findings']): Judged => ({
  truth: { fileName: 'a', wrong: planted.length > 0, size: 100, planted },
  findings,
});

function of(images: readonly Judged[], kind: PlantedError['kind']): Detection | undefined {
  return detectionByKind(images).find((row) => row.kind === kind);
}

describe('detection against the truth', () => {
  it('finds a planted part by kind and overlap', () => {
    const planted = [error('missing_part', [10, 10, 30, 30])];
    assert.deepEqual(of([image(planted, [finding('missing_part', [0.12, 0.12, 0.3, 0.3])])], 'missing_part'), {
      kind: 'missing_part',
      planted: 1,
      found: 1,
      precision: 1,
      recall: 1,
    });
    assert.deepEqual(of([image(planted, [finding('missing_part', [0.5, 0.5, 0.7, 0.7])])], 'missing_part'), {
      kind: 'missing_part',
      planted: 1,
      found: 0,
      precision: 0,
      recall: 0,
    });
    assert.equal(of([image(planted, [finding('wrong_class', [0.1, 0.1, 0.3, 0.3])])], 'missing_part')?.recall, 0);
  });

  it('counts only findings that are more likely wrong than right', () => {
    const row = of(
      [image([error('missing_part', [10, 10, 30, 30])], [finding('missing_part', [0.1, 0.1, 0.3, 0.3], 0.4)])],
      'missing_part',
    );
    assert.deepEqual(row, { kind: 'missing_part', planted: 1, found: 0, precision: null, recall: 0 });
  });

  it('finds an error of the whole label wherever its finding lies, in that image alone', () => {
    const mirrored = image(
      [error('mirrored', [0, 0, 100, 100], null, null)],
      [finding('mirrored', [0.4, 0.4, 0.5, 0.5])],
    );
    const clean = image([], [finding('mirrored', [0, 0, 1, 1])]);
    assert.deepEqual(of([mirrored, clean], 'mirrored'), {
      kind: 'mirrored',
      planted: 1,
      found: 1,
      precision: 0.5,
      recall: 1,
    });
  });

  it('says nothing about kinds that were neither planted nor found', () => {
    assert.deepEqual(of([image([], [])], 'swapped'), {
      kind: 'swapped',
      planted: 0,
      found: 0,
      precision: null,
      recall: null,
    });
  });
});
