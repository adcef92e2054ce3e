import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { sampleConfigSchema } from '../../../domain/config.js';
import { recordedSampleConfig } from '../../../domain/sample/config.js';
import { growTrainingSet } from '../../../domain/sample/grow.js';
import { sampleChunk } from '../../../domain/sample/sampleChunk.js';
import type { TrainingSet } from '../../../domain/sample/trainingSet.js';
import type { SampleRow, TrainingRow } from '../../../domain/tables.js';
import { chunkRow, skewed, TAXONOMY } from './rows.js';

/** Digests of picks with all numbers but without words; only a change of a policy may change them. */
const PICKS = {
  need: { tagged: '5276c0712ce81a4d', untagged: 'f883280d37eff651' },
  cover: { tagged: 'a6d3e7c1e7daeee4', untagged: '2aa82a8c1f0a4c88' },
  random: { tagged: 'e0d49161b8134913', untagged: 'e0d49161b8134913' },
} as const;

function picksOf(policy: keyof typeof PICKS, tagged: boolean): SampleRow[] {
  const { chunk, scan } = skewed(240, tagged);
  const trainingSet = Array.from(
    { length: 80 },
    (_, n): TrainingRow => ({
      ...chunkRow(1_000 + n, {
        ...(tagged ? { angle: n % 3 === 0 ? 90 : 0, black: n % 7 === 0, zoomed: n % 2 === 0 } : {}),
        classes: n % 5 === 0 ? [1, 3] : [1, 2],
      }),
      pickedIn: 1,
    }),
  );
  const config = sampleConfigSchema.parse({ policy });
  return sampleChunk({ chunk, scan, trainingSet, taxonomy: TAXONOMY, config, budget: 90, seed: 3, iteration: 2 }).rows;
}

describe('the number of picks', () => {
  const grown = (config: object, drawn = 40) => {
    const { chunk, scan } = skewed(drawn);
    const trainingSet: TrainingSet = { count: 0, has: () => false, [Symbol.iterator]: () => [][Symbol.iterator]() };
    const settings = sampleConfigSchema.parse(config);
    const asked = { drawn: chunk, scanned: scan, earlier: 0, trainingSet, returning: [], taxonomy: TAXONOMY };
    const { budget, sample } = growTrainingSet({ ...asked, config: settings, seed: 1, iteration: 1 });
    return [budget, sample.rows.length];
  };

  it('is a share of the chunk, or a fixed one whatever the share', () => {
    assert.deepEqual(grown({ share: 0.25 }), [10, 10]);
    assert.deepEqual(grown({ share: 0.25, count: 17 }), [17, 17]);
  });

  it('is the whole chunk if that is smaller than the fixed one', () => {
    assert.deepEqual(grown({ count: 50 }), [40, 40]);
  });

  it('is by share in settings of an older record', () => {
    const { count: _, ...older } = sampleConfigSchema.parse({ share: 0.25 });
    assert.deepEqual(grown(recordedSampleConfig(older)), [10, 10]);
  });
});

describe('the policies of sample', () => {
  for (const policy of ['need', 'cover', 'random'] as const) {
    it(`pick by ${policy} what they always picked`, () => {
      const digests = [true, false].map((tagged) => {
        const numbers = picksOf(policy, tagged).map(({ why: _, ...row }) => Object.entries(row).sort());
        return createHash('sha256').update(JSON.stringify(numbers)).digest('hex').slice(0, 16);
      });
      assert.deepEqual(digests, [PICKS[policy].tagged, PICKS[policy].untagged]);
    });
  }
});
