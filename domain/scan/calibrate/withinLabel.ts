import { COMPANY_COLUMN, type Family } from './features.js';
import { type GroupedRow, type Mixture, probabilityWrong } from './positiveUnlabelled.js';

/** What comes in company: who forgets one part often forgets several. */
export const COMPANY_FAMILY: Family = 'missing';
/** Fits in which each candidate is told how suspect the others are. */
const ROUNDS = 2;
/** Candidates that the injected share of company is worth beside the one that is found. */
const STRENGTH = 1;

/** A candidate as its family's regression sees it. */
interface Sociable extends GroupedRow {
  row: readonly number[];
  family: Family;
}

/** A label's candidates, and those of its copies with errors injected. */
interface Label {
  candidates: readonly Sociable[];
  copies: readonly { candidates: readonly (Sociable & { teaches: boolean })[] }[];
}

/**
 * Fits the family with what the others in the same label are: each candidate learns how probably any other one of it is wrong by the
 * fit before. Changes the rows and weights of the family's candidates.
 */
export function fitInCompany(images: readonly Label[], fit: () => Mixture): Mixture {
  let mixture = fit();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { candidates, copies } of images)
      for (const label of [candidates, ...copies.map((copy) => copy.candidates)]) accompany(label, mixture);
    weighInjected(images, mixture);
    mixture = fit();
  }
  return mixture;
}

function accompany(label: readonly Sociable[], mixture: Mixture): void {
  const own = label.filter(isOfFamily);
  const right = own.map((item) => 1 - probabilityWrong(mixture, item));
  own.forEach((item, at) => {
    const others = right.reduce((product, chance, index) => (index === at ? product : product * chance), 1);
    item.row = item.row.map((value, column) => (column === COMPANY_COLUMN ? 1 - others : value));
  });
}

/**
 * Weighs injected candidates so that as many of them are in company as of those that the scan finds wrong: whether mistakes come
 * alone or several in a label is a matter of who labelled.
 */
function weighInjected(images: readonly Label[], mixture: Mixture): void {
  const injected = images.flatMap(({ copies }) =>
    copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && isOfFamily(item))),
  );
  const usual = injected.reduce((sum, item) => sum + companyOf(item), 0) / Math.max(1, injected.length);
  let [wrong, together] = [STRENGTH, STRENGTH * usual];
  for (const item of images.flatMap(({ candidates }) => candidates.filter(isOfFamily))) {
    const probability = probabilityWrong(mixture, item);
    wrong += probability;
    together += probability * companyOf(item);
  }
  const found = together / wrong;
  for (const item of injected) {
    const company = companyOf(item);
    item.weight = (company * found) / Math.max(1e-3, usual) + ((1 - company) * (1 - found)) / Math.max(1e-3, 1 - usual);
  }
}

const isOfFamily = ({ family }: Sociable): boolean => family === COMPANY_FAMILY;

const companyOf = ({ row }: Sociable): number => row[COMPANY_COLUMN] as number;
