import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type SampleConfig, sampleConfigSchema } from '../../../domain/config.js';
import { sampleChunk } from '../../../domain/sample/sampleChunk.js';
import type { TrainingRow } from '../../../domain/tables.js';
import { ANGLES, DAMAGES, ORIENTATIONS, REGIONS, tagsSchema, VEHICLES } from '../../../domain/tags.js';
import { tagWords } from '../../../domain/tagWords.js';
import { chunkRow, idOf, scanRow, TAXONOMY } from './rows.js';

const CANDIDATES = 100;

const LEFT = { angle: 45, orientation: 'left' } as const;
const BEHIND = { angle: 135, orientation: 'right' } as const;
const POOR = { angle: 45, orientation: 'right' } as const;

/** Of 100 candidates two are seen at 45 degrees from the right, with a poor IoU; one of them shows a mirror. */
function whyOf(fields: Partial<SampleConfig>, trained: Partial<TrainingRow>[]): Map<string, string> {
  const isPoor = (n: number) => n === 7 || n === 42;
  const chunk = Array.from({ length: CANDIDATES }, (_, n) =>
    chunkRow(n, {
      ...(isPoor(n) ? POOR : n % 2 === 0 ? LEFT : BEHIND),
      classes: n === 7 ? [1, 3] : [1],
    }),
  );
  const scan = chunk.map((_, n) => scanRow(n, isPoor(n) ? { labelIou: n === 7 ? 0.4 : 0.42, hardness: 0.6 } : {}));
  const trainingSet = trained.map((row, n): TrainingRow => ({ ...chunkRow(1_000 + n, row), pickedIn: 1 }));
  const config = sampleConfigSchema.parse({ randomShare: 0, ...fields });
  const request = { chunk, scan, trainingSet, taxonomy: TAXONOMY, config, budget: 99, seed: 1, iteration: 2 };
  return new Map(sampleChunk(request).rows.map(({ imageId, why }) => [imageId, why]));
}

const usual = Array.from({ length: 196 }, (_, n) => (n % 2 === 0 ? LEFT : BEHIND));
const ofTheKind = Array.from({ length: 4 }, () => POOR);

describe('the reason of a pick', () => {
  it('names the neediest tags with the IoU there and their share of the training set, and the rare parts', () => {
    const why = whyOf({}, [...usual, ...ofTheKind]);
    assert.equal(
      why.get(idOf(7)),
      'angle 45 right: IoU 0.41, 2.0 % of the training set; rare: mirror in 0.3 % of images',
    );
    assert.equal(why.get(idOf(42)), 'angle 45 right: IoU 0.41, 2.0 % of the training set');
    assert.equal(why.get(idOf(1)), 'well covered');
  });

  it('says that the training set has none of a kind, or compares with the candidates while there is no training set', () => {
    assert.equal(whyOf({}, usual).get(idOf(42)), 'angle 45 right: IoU 0.41, none of the training set');
    assert.equal(whyOf({}, []).get(idOf(42)), 'angle 45 right: IoU 0.41, 2.0 % of the candidates');
  });

  it('of a pick for coverage names the rarest properties and how often the training set has them', () => {
    const why = whyOf({ policy: 'cover' }, [...usual, ...ofTheKind]);
    assert.equal(
      why.get(idOf(7)),
      'adds mirror (none of the training set); angle 45 right (2.0 % of the training set)',
    );
  });

  it('of a pick of the reserve says that it is random', () => {
    const reasons = new Set(whyOf({ randomShare: 1 }, []).values());
    assert.deepEqual([...reasons], ['random reserve']);
  });
});

describe('tags in words', () => {
  it('read as people say them', () => {
    const tags = {
      angle: 45,
      orientation: 'right',
      black: true,
      reflection: false,
      zoomed: true,
      damage: 'none',
    } as const;
    assert.equal(tagWords(tags), 'angle 45 right, undamaged, black, not reflective, zoomed');
    assert.equal(tagWords({ orientation: 'left', vehicle: 'suv', damage: '2' }), 'suv, damage 2, left side');
    assert.equal(
      tagWords({ angle: 180, orientation: 'none', region: 'exterior' }),
      'angle 180, neither side, exterior',
    );
    assert.equal(tagWords(tagsSchema.parse({})), '');
  });

  it('tell different tags apart', () => {
    const anyTags = fc.record({
      angle: fc.constantFrom(null, ...ANGLES),
      vehicle: fc.constantFrom(null, ...VEHICLES),
      damage: fc.constantFrom(null, ...DAMAGES),
      black: fc.constantFrom(null, true, false),
      reflection: fc.constantFrom(null, true, false),
      zoomed: fc.constantFrom(null, true, false),
      orientation: fc.constantFrom(null, ...ORIENTATIONS),
      region: fc.constantFrom(null, ...REGIONS),
    });
    fc.assert(
      fc.property(anyTags, anyTags, (a, b) => {
        assert.equal(tagWords(a) === tagWords(b), JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
