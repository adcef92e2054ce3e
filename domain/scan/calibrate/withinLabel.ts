import type { Family } from './families.js';
import { OTHERS_COLUMN } from './features.js';
import { type GroupedRow, type PositiveUnlabelledFit, probabilityWrong } from './statistics/positiveUnlabelled.js';
import { WITHIN_LABEL } from './thresholds.js';

/** The family whose errors depend on each other within a label: who forgets one part often forgets several. */
export const DEPENDENT_FAMILY: Family = 'missing';

/** A candidate as its family's regression sees it. */
interface DependentCandidate extends GroupedRow {
  row: readonly number[];
  family: Family;
}

/** A label's candidates, and those of its copies with errors injected. */
interface Label {
  candidates: readonly DependentCandidate[];
  copies: readonly { candidates: readonly (DependentCandidate & { teaches: boolean })[] }[];
}

/**
 * Fits the family again with a column for the other candidates of the same label: the probability, by the previous fit,
 * that any of them is wrong. Changes the rows and weights of the family's candidates.
 */
export function fitWithinLabel(images: readonly Label[], fit: () => PositiveUnlabelledFit): PositiveUnlabelledFit {
  let detector = fit();
  for (let round = 0; round < WITHIN_LABEL.rounds; round++) {
    for (const { candidates, copies } of images)
      for (const label of [candidates, ...copies.map((copy) => copy.candidates)]) tellOthers(label, detector);
    weighInjected(images, detector);
    detector = fit();
  }
  return detector;
}

function tellOthers(label: readonly DependentCandidate[], detector: PositiveUnlabelledFit): void {
  const own = label.filter(isOfFamily);
  const right = own.map((item) => 1 - probabilityWrong(detector, item));
  own.forEach((item, at) => {
    const others = right.reduce((product, chance, index) => (index === at ? product : product * chance), 1);
    item.row = item.row.map((value, column) => (column === OTHERS_COLUMN ? 1 - others : value));
  });
}

/**
 * Weighs injected candidates so that the same share of them comes with others as of those that the scan finds wrong:
 * whether mistakes come alone or together depends on the labeller.
 */
function weighInjected(images: readonly Label[], detector: PositiveUnlabelledFit): void {
  const injected = images.flatMap(({ copies }) =>
    copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && isOfFamily(item))),
  );
  const usual = injected.reduce((sum, item) => sum + othersOf(item), 0) / Math.max(1, injected.length);
  let [wrong, together] = [WITHIN_LABEL.strength, WITHIN_LABEL.strength * usual];
  for (const item of images.flatMap(({ candidates }) => candidates.filter(isOfFamily))) {
    const probability = probabilityWrong(detector, item);
    wrong += probability;
    together += probability * othersOf(item);
  }
  const found = together / wrong;
  for (const item of injected) {
    const others = othersOf(item);
    item.weight =
      (others * found) / Math.max(WITHIN_LABEL.leastShare, usual) +
      ((1 - others) * (1 - found)) / Math.max(WITHIN_LABEL.leastShare, 1 - usual);
  }
}

const isOfFamily = ({ family }: DependentCandidate): boolean => family === DEPENDENT_FAMILY;

const othersOf = ({ row }: DependentCandidate): number => row[OTHERS_COLUMN] as number;
