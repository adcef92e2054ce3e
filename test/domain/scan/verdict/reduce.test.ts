import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seededRandom } from '../../../../domain/base/random.js';
import { scanConfigSchema } from '../../../../domain/config.js';
import { fitLogistic, logit, sigmoid } from '../../../../domain/scan/calibrate/statistics/logistic.js';
import { learnCorrection } from '../../../../domain/scan/calibrate/statistics/plattScaling.js';
import { fitPositiveUnlabelled } from '../../../../domain/scan/calibrate/statistics/positiveUnlabelled.js';
import { analyseWithInjection, type ReduceEntry, reduceScan } from '../../../../domain/scan/index.js';
import { findingId } from '../../../../domain/scan/verdict/findingId.js';
import { chooseQuarantine, thresholdForPrecision } from '../../../../domain/scan/verdict/quarantine.js';
import { findingRowSchema, scanImageRowSchema } from '../../../../domain/tables.js';
import { NO_TAGS } from '../../../../domain/tags.js';
import { classValue, drawCar, mistaken, replaced, scheme, seen } from '../scene.js';

const SIZE = 96;
const config = scanConfigSchema.parse({});

/**
 * A hundred and twenty cars; the first eight with errors planted: five with parts left out, two with a wrong class, one
 * mirrored.
 */
function chunk(): ReduceEntry[] {
  const random = seededRandom('chunk');
  return Array.from({ length: 120 }, (_, index) => {
    const truth = drawCar(SIZE, random);
    const { mask, confidence } = mistaken(truth, SIZE, random);
    let label = truth;
    if (index < 5)
      label = replaced(truth, classValue(['hood', 'left_front_door', 'roof', 'wheel', 'quarter'][index] ?? 'hood'), 0);
    else if (index < 7) label = replaced(truth, classValue('left_rear_door'), classValue('taillight'));
    else if (index === 7)
      label = ['fender', 'front_door', 'rear_door'].reduce(
        (so, part) => replaced(so, classValue(`left_${part}`), classValue(`right_${part}`)),
        truth,
      );
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
        seededRandom('injection', index),
      ),
    };
  });
}

describe('the reduce of a scan', () => {
  const entries = chunk();
  const scan = reduceScan(entries, scheme, config, null);

  it('ranks the images with planted errors above all others, and sets aside those with parts left out and no right one', () => {
    const ranked = scan.images.map((row, index) => ({ index, p: row.pMislabelled })).sort((a, b) => b.p - a.p);
    assert.deepEqual(
      ranked
        .slice(0, 8)
        .map(({ index }) => index)
        .sort(),
      [0, 1, 2, 3, 4, 5, 6, 7],
      JSON.stringify(ranked.slice(0, 10)),
    );
    const aside = scan.images.flatMap((row, index) => (row.quarantined ? [index] : []));
    assert.ok(
      [0, 1, 2, 3, 4].every((index) => aside.includes(index)),
      JSON.stringify(ranked.slice(0, 10)),
    );
    assert.ok(aside.every((index) => index < 8));
  });

  it('writes rows that fit the tables, with a proposal for every part to add', () => {
    for (const row of scan.images) scanImageRowSchema.parse(row);
    for (const row of scan.findings) {
      findingRowSchema.parse(row);
      if (row.kind === 'missing_part') assert.notEqual(row.proposal, null);
    }
    assert.equal(new Set(scan.findings.map((row) => row.findingId)).size, scan.findings.length);
  });

  it('leaves what it found out of the hardness, so that a wrong label does not pass for a hard picture', () => {
    const [first] = scan.images;
    assert.ok(first !== undefined && first.hardness < 1 - first.labelIou - 0.03);
  });

  it('weights minor parts in the hardness as `sample.minorWeight` says, and twice if omitted', () => {
    const weighted = (minorWeight: number) =>
      reduceScan(entries, scheme, { ...config, minorWeight }, null).images.map(({ hardness }) => hardness);
    assert.deepEqual(
      weighted(2),
      scan.images.map(({ hardness }) => hardness),
    );
    assert.notDeepEqual(weighted(1), weighted(2));
  });

  it('estimates how many labels are wrong', () => {
    assert.ok(Math.abs(scan.summary.prevalence - 8 / 120) < 0.03, String(scan.summary.prevalence));
  });

  it('gives the same answer for the same entries after a trip through JSON', () => {
    assert.deepEqual(reduceScan(JSON.parse(JSON.stringify(entries)) as ReduceEntry[], scheme, config, null), scan);
  });

  it('yields no model-based finding for a class the model does not know', () => {
    const hood = classValue('hood');
    const blind = entries.map((entry) => ({
      ...entry,
      analysis:
        entry.analysis === null
          ? null
          : {
              ...entry.analysis,
              classCounts: entry.analysis.classCounts.map((count, at) =>
                at % 3 === 1 && entry.analysis?.classCounts[at - 1] === hood ? 0 : count,
              ),
            },
    }));
    const weak = reduceScan(blind, scheme, config, { model: { hood: 0.1 } });
    assert.ok(scan.findings.some((row) => row.suggestedClassId === hood));
    assert.ok(!weak.findings.some((row) => row.suggestedClassId === hood && row.kind === 'missing_part'));
    assert.equal(weak.summary.classes.find(({ name }) => name === 'hood')?.judged, false);
  });

  it('reports an image that could not be read, and goes on', () => {
    const broken: ReduceEntry = {
      imageId: 'f'.repeat(64),
      fileName: 'broken.jpg',
      labelSha256: 'c'.repeat(64),
      model: 'model',
      analysis: null,
      error: 'broken.jpg is cut off',
    };
    const result = reduceScan([...entries, broken], scheme, config, null);
    const row = result.images.at(-1);
    assert.deepEqual([row?.error, row?.quarantined, row?.kinds], ['broken.jpg is cut off', true, ['unreadable']]);
    assert.deepEqual(result.images.slice(0, -1), scan.images);
    assert.equal(result.summary.errors, 1);
  });

  it('survives a chunk of none, of one, and of nothing but errors', () => {
    assert.deepEqual(reduceScan([], scheme, config, null).images, []);
    assert.equal(reduceScan(entries.slice(0, 1), scheme, config, null).images.length, 1);
    assert.ok(
      reduceScan(entries.slice(0, 8), scheme, config, null).images.every((row) => Number.isFinite(row.pMislabelled)),
    );
  });

  it('names the copy whose label leaves parts out that the other copy has', () => {
    const truth = drawCar(SIZE);
    const poor = ['hood', 'roof', 'wheel', 'quarter', 'bumper', 'left_fender'].reduce(
      (label, part) => replaced(label, classValue(part), 0),
      truth,
    );
    const copies = [truth, poor].map(
      (label, index): ReduceEntry => ({
        imageId: `${index}`.padStart(64, 'd'),
        fileName: `copy-${index}.jpg`,
        labelSha256: 'e'.repeat(64),
        model: 'model',
        cluster: 'd'.repeat(64),
        analysis: analyseWithInjection(seen(label, truth, SIZE), scheme, NO_TAGS, seededRandom('copy', index)),
      }),
    );
    // Among these few nobody knows yet what a missing part looks like.
    const conflicts = reduceScan(copies, scheme, config, null).findings.filter(
      (row) => row.kind === 'duplicate_conflict',
    );
    assert.deepEqual(
      conflicts.map((row) => row.fileName),
      ['copy-1.jpg'],
    );
  });
});

describe('the parts of the calibration', () => {
  it('recovers the coefficients that made the data', () => {
    const random = seededRandom('logistic');
    const rows = Array.from({ length: 4_000 }, () => [1, 2 * random() - 1, 2 * random() - 1]);
    const targets = rows.map((row) => (random() < sigmoid(logit([-0.5, 2, -1], row)) ? 1 : 0));
    const fitted = fitLogistic(
      rows,
      targets,
      rows.map(() => 1),
      [0, 0, 0],
      0.01,
    );
    for (const [index, truth] of [-0.5, 2, -1].entries()) assert.ok(Math.abs((fitted[index] ?? 0) - truth) < 0.25);
  });

  it('stays with the prior if there is no data', () => {
    assert.deepEqual(fitLogistic([], [], [], [1, -2], 1), [1, -2]);
    const options = { prior: [0, 1], ridge: 1, expected: 0.15, strength: 20 };
    const { coefficients, shares } = fitPositiveUnlabelled([], [], options);
    assert.deepEqual([coefficients, shares], [[0, 1], {}]);
    const alone = fitPositiveUnlabelled([], [{ group: 'a', row: [1, 0] }], options);
    assert.ok(Math.abs((alone.shares.a ?? 0) - 0.15) < 0.05);
  });

  it('estimates the share of wrong ones among the unknown, be it small or large, and each group for itself', () => {
    const draw = (random: () => number, wrong: boolean): number[] => [
      1,
      (wrong ? 0.8 : 0.2) + 0.5 * (random() + random() - 1),
    ];
    for (const [few, many] of [
      [0.05, 0.3],
      [0.15, 0.6],
    ] as const) {
      const random = seededRandom('share', few);
      const wrong = Array.from({ length: 800 }, (_, index) => ({
        group: index % 2 === 0 ? 'few' : 'many',
        row: draw(random, true),
      }));
      const unknown = Array.from({ length: 2_000 }, (_, index) => {
        const group = index % 2 === 0 ? 'few' : 'many';
        return { group, row: draw(random, index < (group === 'few' ? few : many) * 2_000) };
      });
      const { shares } = fitPositiveUnlabelled(wrong, unknown, {
        prior: [-2, 4],
        ridge: 1,
        expected: 100,
        strength: 1,
      });
      assert.ok(Math.abs((shares.few ?? 0) - few) < 0.04, `${few}: ${shares.few}`);
      assert.ok(Math.abs((shares.many ?? 0) - many) < 0.06, `${many}: ${shares.many}`);
    }
  });

  it('takes a group whose rows all look injected for wrong, and one where none does for right', () => {
    const random = seededRandom('extremes');
    const rows = (group: string, count: number, centre: number): { group: string; row: number[] }[] =>
      Array.from({ length: count }, () => ({ group, row: [1, centre + 0.2 * (random() - 0.5)] }));
    const { shares } = fitPositiveUnlabelled(
      [...rows('same', 100, 1), ...rows('other', 100, 1)],
      [...rows('same', 60, 1), ...rows('other', 60, 0)],
      { prior: [-2, 4], ridge: 0.3, expected: 12, strength: 1 },
    );
    assert.ok((shares.same ?? 0) > 0.8, String(shares.same));
    assert.ok((shares.other ?? 1) < 0.05, String(shares.other));
  });

  it('is not misled by rows that hardly count', () => {
    const random = seededRandom('weights');
    const row = (): number[] => [1, 1 + 0.1 * random()];
    const wrong = Array.from({ length: 50 }, () => ({ group: 'a', row: row() }));
    const right = Array.from({ length: 50 }, () => ({ group: 'a', row: [1, 0.1 * random()] }));
    const doubtful = Array.from({ length: 50 }, () => ({ group: 'a', row: row(), weight: 0.001 }));
    const { shares } = fitPositiveUnlabelled(wrong, [...right, ...doubtful], {
      prior: [-2, 4],
      ridge: 0.3,
      expected: 10,
      strength: 1,
    });
    assert.ok((shares.a ?? 1) < 0.05);
  });

  it('never sets more aside than the cap, nor more of one tag than twice the share of all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ p: fc.double({ min: 0, max: 1, noNaN: true }), black: fc.boolean() }), { maxLength: 120 }),
        (images) => {
          const population = images.map(({ black }) => ({ tags: { ...NO_TAGS, black }, classes: [] }));
          const { chosen, overflow } = chooseQuarantine(
            images.map(({ p, black }, index) => ({
              index,
              probability: p,
              tags: { ...NO_TAGS, black },
              classId: null,
            })),
            { population, quarantineAt: 0.5, quarantineCap: 0.3 },
          );
          const over = images.filter(({ p }) => p >= 0.5).length;
          assert.ok(chosen.size <= Math.floor(0.3 * images.length));
          assert.equal(overflow, over - chosen.size);
          const rate = images.length === 0 ? 0 : Math.min(over, Math.floor(0.3 * images.length)) / images.length;
          const black = images.filter((image) => image.black).length;
          assert.ok(
            [...chosen].filter((index) => images[index]?.black === true).length <=
              Math.max(3, Math.ceil(2 * rate * black)),
          );
        },
      ),
    );
  });

  it('keeps the id of a finding whose box moves within its grid cell, and changes it with the label', () => {
    const id = findingId('a', 'b', 'missing_part', [0, 3], [16, 16, 40, 40]);
    assert.match(id, /^[0-9a-f]{24}$/);
    assert.equal(findingId('a', 'b', 'missing_part', [0, 3], [17, 15, 41, 39]), id);
    assert.notEqual(findingId('a', 'c', 'missing_part', [0, 3], [16, 16, 40, 40]), id);
  });
});

describe('verdicts of reviewers', () => {
  it('lower the findings of a kind that was found right again and again, in scans that come after', () => {
    const entries = chunk();
    const before = reduceScan(entries, scheme, config, null);
    const of = (scan: ReturnType<typeof reduceScan>, imageId: string | undefined): number =>
      Math.max(
        0,
        ...scan.findings
          .filter((row) => row.kind === 'missing_part' && row.imageId === imageId)
          .map(({ pWrong }) => pWrong),
      );
    const refuted = learnCorrection(
      Array.from({ length: 40 }, () => ({ kind: 'missing_part', pModel: 0.8, wrong: false, chance: 1 })),
    );
    const after = reduceScan(entries, scheme, config, null, () => false, refuted);
    assert.ok(of(after, entries[0]?.imageId) < of(before, entries[0]?.imageId) - 0.3);
    assert.ok((after.images[0]?.pMislabelled ?? 1) < (before.images[0]?.pMislabelled ?? 0));
    assert.equal(after.summary.calibration.verdicts.answers, 40);
  });
});

describe('the quarantine of regions', () => {
  it('keeps images in training whose findings are all regions, and sets others aside as a whole', () => {
    const entries = chunk();
    const whole = reduceScan(entries, scheme, config, null);
    const parts = reduceScan(entries, scheme, { ...config, quarantine: 'region' }, null);
    assert.deepEqual(
      parts.images.map(({ quarantined, regionsIgnored }) => quarantined || regionsIgnored),
      whole.images.map(({ quarantined }) => quarantined),
    );
    assert.equal(parts.images[0]?.regionsIgnored, true);
    const mirrored = parts.images[7];
    assert.deepEqual([mirrored?.quarantined, mirrored?.regionsIgnored], [true, false]);
  });
});

describe('the threshold for a precision', () => {
  it('is the lowest at which those over it are expected to be wrong often enough', () => {
    assert.equal(thresholdForPrecision([0.1, 0.9, 0.8, 0.6, 0.2], 0.8), 0.8);
    assert.equal(thresholdForPrecision([0.99, 0.9, 0.7, 0.6], 0.75), 0.6);
    assert.equal(thresholdForPrecision([0.3, 0.2], 0.8), Number.POSITIVE_INFINITY);
    assert.equal(thresholdForPrecision([], 0.8), Number.POSITIVE_INFINITY);
  });

  it('keeps the expected precision, and no lower threshold would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
        fc.double({ min: 0.5, max: 1, noNaN: true }),
        (probabilities, precision) => {
          const mean = (threshold: number): number => {
            const over = probabilities.filter((p) => p >= threshold);
            return over.reduce((sum, p) => sum + p, 0) / over.length;
          };
          const threshold = thresholdForPrecision(probabilities, precision);
          if (Number.isFinite(threshold)) assert.ok(mean(threshold) >= precision - 1e-9);
          for (const lower of probabilities.filter((p) => p < threshold)) assert.ok(mean(lower) < precision + 1e-9);
        },
      ),
    );
  });

  it('takes the place of the fixed one where the config asks for it', () => {
    const entries = chunk();
    const strict = reduceScan(entries, scheme, { ...config, quarantinePrecision: 0.95 }, null);
    assert.ok((strict.summary.quarantineAt ?? 0) > 0.5);
    assert.ok(
      strict.summary.overThreshold <
        reduceScan(entries, scheme, { ...config, quarantineAt: 0.1 }, null).summary.overThreshold,
    );
  });
});
