import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Family } from '../../../../domain/scan/calibrate/families.js';
import { OTHERS_COLUMN } from '../../../../domain/scan/calibrate/features.js';
import type { PositiveUnlabelledFit } from '../../../../domain/scan/calibrate/statistics/positiveUnlabelled.js';
import { fitWithinLabel } from '../../../../domain/scan/calibrate/withinLabel.js';

const odds = (p: number): number => Math.log(p / (1 - p));

/** A fit that reads the probability off the first column and never changes. */
const READS: PositiveUnlabelledFit = {
  coefficients: Array.from({ length: OTHERS_COLUMN + 1 }, (_, column) => (column === 0 ? 1 : 0)),
  logOdds: { missing_part: 0 },
  shares: {},
};

interface Item {
  family: Family;
  group: string;
  teaches: boolean;
  row: readonly number[];
  candidate: { suggestedClassId: number | null };
  weight?: number;
}

const item = (p: number, family: Family = 'missing', suggestedClassId = 1): Item => ({
  family,
  candidate: { suggestedClassId },
  group: 'missing_part',
  teaches: true,
  row: Array.from({ length: OTHERS_COLUMN + 1 }, (_, column) => (column === 0 ? odds(p) : 0)),
});

const image = (candidates: Item[], copies: Item[][] = []) => ({
  candidates,
  copies: copies.map((own) => ({ candidates: own })),
});

const othersOf = ({ row }: Item): number => row[OTHERS_COLUMN] as number;

describe('a missing part among others of the same label', () => {
  it('is the probability that any other missing part of the same label is wrong', () => {
    const [first, second, third, alone] = [item(0.9), item(0.5), item(0.2), item(0.8)] as [Item, Item, Item, Item];
    const other = item(0.99, 'class');
    fitWithinLabel([image([first, second, third, other]), image([alone])], () => READS);
    assert.ok(Math.abs(othersOf(first) - (1 - 0.5 * 0.8)) < 1e-12);
    assert.ok(Math.abs(othersOf(second) - (1 - 0.1 * 0.8)) < 1e-12);
    assert.ok(Math.abs(othersOf(third) - (1 - 0.1 * 0.5)) < 1e-12);
    assert.equal(othersOf(alone), 0);
    assert.equal(othersOf(other), 0, 'kinds of another family neither have others nor are others');
  });

  it('has the same mean among weighted injected ones as among wrong ones, up to one candidate', () => {
    const chance = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    const label = fc.array(chance, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(label, { minLength: 1, maxLength: 8 }),
        fc.array(label, { minLength: 2, maxLength: 8 }),
        (found, injected) => {
          const labels = found.map((own) => own.map((p) => item(p)));
          const copies = injected.map((own) => own.map((p) => item(p)));
          fitWithinLabel([...labels.map((own) => image(own)), image([], copies)], () => READS);
          const taught = copies.flat();
          const usual = taught.reduce((sum, one) => sum + othersOf(one), 0) / taught.length;
          fc.pre(usual > 0.01 && usual < 0.99);
          const wrong = labels
            .flat()
            .map((one) => ({ p: 1 / (1 + Math.exp(-(one.row[0] as number))), others: othersOf(one) }));
          const wanted =
            (usual + wrong.reduce((sum, { p, others }) => sum + p * others, 0)) /
            (1 + wrong.reduce((sum, { p }) => sum + p, 0));
          const total = taught.reduce((sum, one) => sum + (one.weight ?? 1), 0);
          const together = taught.reduce((sum, one) => sum + (one.weight ?? 1) * othersOf(one), 0);
          const mean = taught.map(othersOf);
          // That others are wrong is a chance, not a yes or no: weights match it exactly where it is 0 or 1, and lean
          // the right way in between.
          if (mean.every((others) => others === 0 || others === 1))
            assert.ok(Math.abs(together / total - wanted) < 1e-9);
          else assert.ok((together / total - usual) * (wanted - usual) >= -1e-9);
        },
      ),
    );
  });

  it('has its class as often among weighted injected ones as among wrong ones, up to five candidates', () => {
    const chance = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    const ofClass = fc.record({ p: chance, value: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(
        fc.array(ofClass, { minLength: 1, maxLength: 20 }),
        fc.array(ofClass, { minLength: 1, maxLength: 20 }),
        (found, injected) => {
          // One part a label, so that nothing has others.
          const labels = found.map(({ p, value }) => image([item(p, 'missing', value)]));
          const copies = injected.map(({ p, value }) => item(p, 'missing', value));
          fitWithinLabel([...labels, ...copies.map((own) => image([], [[own]]))], () => READS);
          const total = copies.reduce((sum, one) => sum + (one.weight ?? 1), 0);
          for (const value of new Set(injected.map((one) => one.value))) {
            const own = copies.filter(({ candidate }) => candidate.suggestedClassId === value);
            const weight = own.reduce((sum, one) => sum + (one.weight ?? 1), 0);
            const known = [...new Set(injected.map((one) => one.value))];
            const wrong = (of: number): number =>
              found.filter((one) => one.value === of).reduce((sum, { p }) => sum + p, 0) +
              (5 * injected.filter((one) => one.value === of).length) / injected.length;
            const expected = wrong(value) / known.reduce((sum, of) => sum + wrong(of), 0);
            assert.ok(Math.abs(weight / total - expected) < 1e-9, `class ${value}`);
          }
        },
      ),
    );
  });
});
