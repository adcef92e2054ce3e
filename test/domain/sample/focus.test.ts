import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PartloopError } from '../../../domain/base/errors.js';
import { recordedSampleConfig, type SampleConfig, sampleConfigSchema } from '../../../domain/sample/config.js';
import { assertClassesOfFocus, focusesOf } from '../../../domain/sample/focus.js';
import { byNeed } from '../../../domain/sample/policies/byNeed.js';
import type { NeedCandidate } from '../../../domain/sample/policies/need.js';
import { type Sample, sampleChunk } from '../../../domain/sample/sampleChunk.js';
import { settingsProblems } from '../../../domain/settings/settings.js';
import { NO_TAGS } from '../../../domain/tags.js';
import { labelNames } from '../../../domain/taxonomy.js';
import { chunkRow, idOf, scanRow, skewed, TAXONOMY } from './rows.js';

const BLACK_FROM_THE_FRONT = { tags: { black: true, angle: 135 } } as const;

const sampled = (config: Partial<SampleConfig> | object, budget = 60, seed = 1): Sample =>
  sampleChunk({
    ...skewed(200),
    trainingSet: [],
    taxonomy: TAXONOMY,
    config: sampleConfigSchema.parse(config),
    ...{ budget, seed, iteration: 1 },
  });

const reserveOf = ({ rows }: Sample) => rows.filter(({ reason }) => reason === 'random').map(({ imageId }) => imageId);
const inFocus = ({ rows }: Sample): number =>
  rows.filter(({ imageId }) => Number.parseInt(imageId, 16) % 10 === 9).length;

describe('a focus of algo2', () => {
  it('multiplies the need of the images that match, and of no others', () => {
    const candidates = [0, 1, 2, 3].map(
      (n): NeedCandidate => ({
        ...{ imageId: idOf(n), cells: [], classes: [1], hardness: 0.3, pMislabelled: 0, labelIou: 0.7 },
        focuses: n === 0 ? [0] : n === 1 ? [0, 1] : [],
      }),
    );
    const config = sampleConfigSchema.parse({
      focus: [
        { tags: { black: true }, factor: 3 },
        { classes: ['mirror'], factor: 2 },
      ],
    });
    const focuses = focusesOf(config.focus, labelNames(TAXONOMY));
    const { rated } = byNeed({
      ...{ candidates, training: [], reserve: new Set<string>(), count: 2, alone: 2, shrinkage: 20, focuses },
      ...{ classNames: labelNames(TAXONOMY), random: () => () => 0.5 },
    });
    const base = rated[3]?.need ?? 0;
    assert.deepEqual(
      rated.map(({ need }) => Math.round((need / base) * 100) / 100),
      [3, 4, 1, 1],
    );
    assert.equal(rated[1]?.why(), 'focus × 3: black; focus × 2: mirror; well covered');
    assert.equal(rated[2]?.why(), 'well covered');
  });

  it('has its images picked more often by need and by cover, and not at all at random', () => {
    for (const policy of ['need', 'cover'] as const) {
      const without = sampled({ policy });
      const withIt = sampled({ policy, focus: [{ ...BLACK_FROM_THE_FRONT, factor: 20 }] });
      assert.ok(inFocus(withIt) > inFocus(without), `${policy}: ${inFocus(withIt)} after ${inFocus(without)}`);
    }
    const random = sampled({ policy: 'random', focus: [{ ...BLACK_FROM_THE_FRONT, factor: 20 }] });
    assert.deepEqual(random.rows, sampled({ policy: 'random' }).rows);
  });

  it('leaves the reserve and the number of picks as they are, with probabilities that sum to it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('need', 'cover', 'random'),
        fc.integer({ min: 0, max: 210 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(
          fc.record({
            tags: fc.record({ black: fc.boolean(), angle: fc.constantFrom(0, 45, 90) }, { requiredKeys: ['black'] }),
            classes: fc.subarray(['hood', 'door', 'mirror']),
            factor: fc.double({ min: 1, max: 100, noNaN: true }),
          }),
          { maxLength: 4 },
        ),
        (policy, budget, randomShare, focus) => {
          const sample = sampled({ policy, randomShare, focus }, budget);
          const expected = Math.min(budget, 200);
          assert.equal(new Set(sample.rows.map(({ imageId }) => imageId)).size, expected);
          assert.ok(Math.abs(sample.probabilitySum - expected) < 1e-4, `${sample.probabilitySum} for ${expected}`);
          assert.deepEqual(reserveOf(sample), reserveOf(sampled({ policy, randomShare }, budget)));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('changes nothing with a factor of 1 but the words', () => {
    for (const policy of ['need', 'cover'] as const) {
      const withoutWords = (sample: Sample) => sample.rows.map(({ why: _, ...row }) => row);
      const plain = sampled({ policy });
      assert.deepEqual(
        withoutWords(sampled({ policy, focus: [{ tags: { black: true }, factor: 1 }] })),
        withoutWords(plain),
      );
    }
  });

  it('matches tags that were inferred from the prediction where none are given, and all of its classes', () => {
    const [focus] = focusesOf(
      sampleConfigSchema.parse({ focus: [{ tags: { zoomed: true }, classes: ['hood', 'mirror'] }] }).focus,
      labelNames(TAXONOMY),
    );
    const zoomed = { ...NO_TAGS, zoomed: true };
    assert.equal(focus?.has(zoomed, [1, 3]), true);
    assert.equal(focus?.has(zoomed, [1]), false);
    assert.equal(focus?.has(NO_TAGS, [1, 3]), false);

    const chunk = Array.from({ length: 4 }, (_, n) => chunkRow(n, { angle: 0 }));
    const scan = chunk.map((_, n) => scanRow(n, n === 2 ? { inferredTags: '{"zoomed":true}' } : {}));
    const config = sampleConfigSchema.parse({ randomShare: 0, focus: [{ tags: { zoomed: true } }] });
    const { rows } = sampleChunk({
      ...{ chunk, scan, trainingSet: [], taxonomy: TAXONOMY, config, budget: 4, seed: 1, iteration: 1 },
    });
    const told = rows.filter(({ why }) => why.startsWith('focus × 2: zoomed')).map(({ imageId }) => imageId);
    assert.deepEqual(told, [idOf(2)]);
  });
});

describe('the setting sample.focus', () => {
  const problemOf = (focus: unknown): string =>
    settingsProblems({ sample: { focus } })
      .map(({ path, text }) => `${path.join('.')}: ${text}`)
      .join('; ');

  it('refuses unknown tags and values, focuses on nothing, and factors that are no boost', () => {
    assert.equal(problemOf([{ tags: { black: true, angle: 45 }, factor: 3 }]), '');
    assert.match(problemOf([{ tags: { blak: true } }]), /^sample\.focus\.0\.tags\.blak: .*did you mean .*black/);
    assert.match(
      problemOf([{ tags: { angle: 40 } }]),
      /^sample\.focus\.0\.tags\.angle: 40 is not allowed; allowed:.*45/,
    );
    assert.match(problemOf([{ factor: 3 }]), /neither `tags` nor `classes`/);
    assert.match(
      problemOf([{ classes: ['mirror'], factor: 0.5 }]),
      /^sample\.focus\.0\.factor: 0.5 is not allowed; allowed: number 1–100/,
    );
    assert.match(problemOf({ black: true }), /allowed: list of at most 16: object with tags, classes, factor/);
  });

  it('refuses classes that the taxonomy does not have, and names those that it has', () => {
    const { focus } = sampleConfigSchema.parse({ focus: [{ classes: ['hood'] }, { classes: ['miror'] }] });
    assert.throws(
      () => assertClassesOfFocus(focus, TAXONOMY),
      (error) =>
        error instanceof PartloopError &&
        error.code === 'input-invalid' &&
        /`sample\.focus\.1\.classes`.*no class `miror`.*did you mean `mirror`/.test(error.message) &&
        error.hint === 'The classes are hood, door, mirror.',
    );
  });

  it('is empty in settings of an older record, which also pick by need', () => {
    const { policy: _, focus: __, ...older } = sampleConfigSchema.parse({ share: 0.3 });
    assert.deepEqual(recordedSampleConfig(older), sampleConfigSchema.parse({ share: 0.3 }));
    assert.equal(recordedSampleConfig({ ...older, later: 1 }).policy, 'need');
  });
});
