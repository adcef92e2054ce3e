import assert from 'node:assert/strict';
import { scanConfigSchema } from '../../../domain/config.js';
import { analyseWithInjection, type ReduceEntry, reduceScan } from '../../../domain/mislabel/index.js';
import { seededRandom } from '../../../domain/random.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { classValue, drawCar, fill, mistaken, moved, replaced, scheme, seen } from './scene.js';

const SIZE = 96;
const IMAGES = 160;

/** What is done to the label of an image; every kind of error that a scan without tags can name. */
const ERRORS: readonly { kind: string; images: number; spoil(label: Uint8Array, at: number): Uint8Array }[] = [
  {
    kind: 'missing_part',
    images: 6,
    spoil: (label, at) =>
      replaced(label, classValue(['hood', 'roof', 'wheel', 'quarter', 'left_mirror', 'bumper'][at] ?? 'hood'), 0),
  },
  {
    kind: 'wrong_class',
    images: 4,
    spoil: (label, at) =>
      replaced(
        label,
        classValue(['hood', 'left_rear_door', 'roof', 'quarter'][at] ?? 'hood'),
        classValue(at < 2 ? 'taillight' : 'wheel'),
      ),
  },
  {
    kind: 'swapped',
    images: 4,
    spoil: (label, at) => {
      const part = ['fender', 'front_door', 'rear_door'][at % 3];
      return replaced(label, classValue(`left_${part}`), classValue(`right_${part}`));
    },
  },
  {
    kind: 'mirrored',
    images: 4,
    spoil: (label) =>
      ['fender', 'front_door', 'rear_door'].reduce(
        (so, part) => replaced(so, classValue(`left_${part}`), classValue(`right_${part}`)),
        label,
      ),
  },
  { kind: 'shifted', images: 4, spoil: (label, at) => moved(label, SIZE, at % 2 === 0 ? 8 : -7, at < 2 ? 5 : -5) },
  {
    kind: 'extra_part',
    images: 3,
    spoil: (label, at) => {
      const copy = Uint8Array.from(label);
      fill(copy, SIZE, [70, 84 - 4 * at, 90, 95 - 4 * at], classValue(['roof', 'hood', 'bumper'][at] ?? 'hood'));
      return copy;
    },
  },
  { kind: 'empty_label', images: 2, spoil: (label) => new Uint8Array(label.length) },
];

function chunk(): { entries: ReduceEntry[]; planted: string[] } {
  const random = seededRandom('golden');
  const planted = ERRORS.flatMap(({ kind, images }) => Array.from({ length: images }, () => kind));
  const entries = Array.from({ length: IMAGES }, (_, index): ReduceEntry => {
    const truth = drawCar(SIZE, random);
    const { mask, confidence } = mistaken(truth, SIZE, random);
    const kind = planted[index];
    const spoiled = ERRORS.find((error) => error.kind === kind);
    const at = index - planted.indexOf(kind ?? '');
    const label = spoiled === undefined ? truth : spoiled.spoil(truth, at);
    return {
      imageId: index.toString(16).padStart(64, '0'),
      fileName: `${index}.jpg`,
      labelSha256: 'b'.repeat(64),
      model: 'model',
      tags: NO_TAGS,
      analysis: analyseWithInjection(
        seen(label, mask, SIZE, confidence),
        scheme,
        NO_TAGS,
        seededRandom('golden', index),
      ),
    };
  });
  return { entries, planted };
}

describe('the golden chunk', () => {
  const { entries, planted } = chunk();
  // The right-hand parts are seen in none of the pictures, yet the model knows them.
  const known = Object.fromEntries(scheme.classes.map(({ name }) => [name, 0.8]));
  const scan = reduceScan(entries, scheme, scanConfigSchema.parse({}), { model: known });

  it('yields the same number of findings of each kind as ever', () => {
    assert.deepEqual(scan.summary.kinds, {});
  });

  it('names each planted error by its kind, most probable first', () => {
    const named = planted.map((kind, index) => {
      const own = scan.findings.filter(({ imageId }) => imageId === entries[index]?.imageId);
      return `${kind}: ${own.some((finding) => finding.kind === kind && finding.pWrong >= 0.5) ? 'found' : own.map((finding) => `${finding.kind} ${finding.pWrong}`).join(', ')}`;
    });
    assert.deepEqual(
      named.filter((line) => !line.endsWith(': found')),
      [],
    );
  });

  it('sets nothing right aside', () => {
    const aside = scan.images.flatMap(({ quarantined }, index) =>
      quarantined && index >= planted.length ? [index] : [],
    );
    assert.deepEqual(aside, []);
  });
});
