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
  candidate: { suggestedClassId: number | null };
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
 * Weighs injected candidates so that they are like those that the scan finds wrong, of which `detector` tells the
 * probability. The same share comes with others in the label: whether mistakes come alone or together depends on the
 * labeller. And classes are as frequent: errors are injected in every part alike, but people leave out wheels.
 */
function weighInjected(images: readonly Label[], detector: PositiveUnlabelledFit): void {
  const injected = images.flatMap(({ copies }) =>
    copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && isOfFamily(item))),
  );
  const found = images.flatMap(({ candidates }) =>
    candidates.filter(isOfFamily).map((item) => ({ item, probability: probabilityWrong(detector, item) })),
  );
  const togetherWeight = togetherWeights(injected, found);
  const classWeight = classWeights(injected, found);
  for (const item of injected) item.weight = togetherWeight(item) * classWeight(item);
}

interface Found {
  item: DependentCandidate;
  probability: number;
}

function togetherWeights(
  injected: readonly DependentCandidate[],
  found: readonly Found[],
): (item: DependentCandidate) => number {
  const usual = injected.reduce((sum, item) => sum + othersOf(item), 0) / Math.max(1, injected.length);
  let [wrong, together] = [WITHIN_LABEL.strength, WITHIN_LABEL.strength * usual];
  for (const { item, probability } of found) {
    wrong += probability;
    together += probability * othersOf(item);
  }
  const share = together / wrong;
  return (item) => {
    const others = othersOf(item);
    return (
      (others * share) / Math.max(WITHIN_LABEL.leastShare, usual) +
      ((1 - others) * (1 - share)) / Math.max(WITHIN_LABEL.leastShare, 1 - usual)
    );
  };
}

function classWeights(
  injected: readonly DependentCandidate[],
  found: readonly Found[],
): (item: DependentCandidate) => number {
  const wrong = sums(found.map(({ item, probability }) => [classOf(item), probability]));
  const known = sums(injected.map((item) => [classOf(item), 1]));
  const all = found.reduce((sum, { probability }) => sum + probability, 0);
  const usual = WITHIN_LABEL.classStrength / Math.max(1, injected.length);
  return (item) => {
    const count = known.get(classOf(item)) ?? 1;
    const expected = (wrong.get(classOf(item)) ?? 0) + usual * count;
    return (expected * injected.length) / ((all + WITHIN_LABEL.classStrength) * count);
  };
}

function sums(items: readonly (readonly [number | null, number])[]): Map<number | null, number> {
  const totals = new Map<number | null, number>();
  for (const [key, value] of items) totals.set(key, (totals.get(key) ?? 0) + value);
  return totals;
}

const isOfFamily = ({ family }: DependentCandidate): boolean => family === DEPENDENT_FAMILY;

const othersOf = ({ row }: DependentCandidate): number => row[OTHERS_COLUMN] as number;

const classOf = ({ candidate }: DependentCandidate): number | null => candidate.suggestedClassId;
