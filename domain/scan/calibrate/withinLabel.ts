import { type Family, OTHERS_COLUMN } from './features.js';
import { type GroupedRow, type Mixture, probabilityWrong } from './positiveUnlabelled.js';

/** The family whose errors depend on each other within a label: who forgets one part often forgets several. */
export const DEPENDENT_FAMILY: Family = 'missing';
/** Fits in which each candidate is told how suspect the others are. */
const ROUNDS = 2;
/** Candidates that the injected share of errors that come together is worth beside the one that is found. */
const STRENGTH = 1;

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
 * Fits the family with what the others in the same label are: each candidate learns how probably any other one of it is wrong by the
 * fit before. Changes the rows and weights of the family's candidates.
 */
export function fitWithinLabel(images: readonly Label[], fit: () => Mixture): Mixture {
  let mixture = fit();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { candidates, copies } of images)
      for (const label of [candidates, ...copies.map((copy) => copy.candidates)]) tellOthers(label, mixture);
    weighInjected(images, mixture);
    mixture = fit();
  }
  return mixture;
}

function tellOthers(label: readonly DependentCandidate[], mixture: Mixture): void {
  const own = label.filter(isOfFamily);
  const right = own.map((item) => 1 - probabilityWrong(mixture, item));
  own.forEach((item, at) => {
    const others = right.reduce((product, chance, index) => (index === at ? product : product * chance), 1);
    item.row = item.row.map((value, column) => (column === OTHERS_COLUMN ? 1 - others : value));
  });
}

/**
 * Weighs injected candidates so that as many of them come with others as of those that the scan finds wrong: whether mistakes
 * come alone or several in a label is a matter of who labelled.
 */
function weighInjected(images: readonly Label[], mixture: Mixture): void {
  const injected = images.flatMap(({ copies }) =>
    copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && isOfFamily(item))),
  );
  const usual = injected.reduce((sum, item) => sum + othersOf(item), 0) / Math.max(1, injected.length);
  let [wrong, together] = [STRENGTH, STRENGTH * usual];
  for (const item of images.flatMap(({ candidates }) => candidates.filter(isOfFamily))) {
    const probability = probabilityWrong(mixture, item);
    wrong += probability;
    together += probability * othersOf(item);
  }
  const found = together / wrong;
  for (const item of injected) {
    const others = othersOf(item);
    item.weight = (others * found) / Math.max(1e-3, usual) + ((1 - others) * (1 - found)) / Math.max(1e-3, 1 - usual);
  }
}

const isOfFamily = ({ family }: DependentCandidate): boolean => family === DEPENDENT_FAMILY;

const othersOf = ({ row }: DependentCandidate): number => row[OTHERS_COLUMN] as number;
