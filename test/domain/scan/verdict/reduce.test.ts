import assert from 'node:assert/strict';
import { seededRandom } from '../../../../domain/base/random.js';
import { scanConfigSchema } from '../../../../domain/config.js';
import { learnCorrection } from '../../../../domain/scan/calibrate/statistics/plattScaling.js';
import { analyseWithInjection, type ReduceEntry, reduceScan } from '../../../../domain/scan/index.js';
import type { FindingKind } from '../../../../domain/tables.js';
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

  it('ranks images with planted errors above all others, and sets aside those with missing parts alone', () => {
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

  it('keeps its findings out of the hardness, so that a wrong label does not pass for a hard picture', () => {
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

  it('yields no model-based finding for a class that the model does not know', () => {
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

  it('reports an image that nobody can read, and goes on', () => {
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

  it('works for a chunk of no images, of one, and of errors alone', () => {
    assert.deepEqual(reduceScan([], scheme, config, null).images, []);
    assert.equal(reduceScan(entries.slice(0, 1), scheme, config, null).images.length, 1);
    assert.ok(
      reduceScan(entries.slice(0, 8), scheme, config, null).images.every((row) => Number.isFinite(row.pMislabelled)),
    );
  });

  it('names the copy whose label lacks parts that the other copy has, if nothing else tells that it is wrong', () => {
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
    const named = (kind: FindingKind, minClassIou: number): string[] => [
      ...new Set(
        reduceScan(copies, scheme, { ...config, minClassIou }, null).findings.flatMap((row) =>
          row.kind === kind ? [row.fileName] : [],
        ),
      ),
    ];
    // No class is known well enough for a finding about a part.
    assert.deepEqual(named('duplicate_conflict', 1), ['copy-1.jpg']);
    assert.deepEqual(named('missing_part', 0), ['copy-1.jpg']);
    assert.deepEqual(named('duplicate_conflict', 0), [], 'its label is known to be wrong already');
  });
});

describe('verdicts of reviewers', () => {
  it('lower later findings of a kind whose labels reviewers found right again and again', () => {
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
  it('keeps images in training if all their findings are regions, and sets others aside as a whole', () => {
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
  it('replaces the fixed threshold if the config asks for it', () => {
    const entries = chunk();
    const strict = reduceScan(entries, scheme, { ...config, quarantinePrecision: 0.95 }, null);
    assert.ok((strict.summary.quarantineAt ?? 0) > 0.5);
    assert.ok(
      strict.summary.overThreshold <
        reduceScan(entries, scheme, { ...config, quarantineAt: 0.1 }, null).summary.overThreshold,
    );
  });
});
