import type { FindingKind } from '../../tables.js';
import { constant, PHOTOS, type Source, valuesOf } from '../constants.js';
import { FAMILY_NAMES, type Family, FURTHER_KINDS } from './families.js';
import { COLUMNS, type ColumnName, IMAGE_COLUMNS, type ImageColumnName } from './features.js';
import type { Coefficients } from './statistics/logistic.js';

// Prior beliefs, before anything of a chunk is known. Small chunks rest on them, large chunks overrule them. All were
// set by hand. `npm run bench -- priors` fits the coefficients on rendered cars, independently of these, and prints
// them beside the present ones in the form of this file.

/** Log odds that each unit of a column adds; a missing column adds none. Columns: `features.ts`. */
interface Prior<Name extends string> {
  sentence: string;
  source: Source;
  slopes: Readonly<Partial<Record<Name, number>>>;
}

/** For families that one or two measurements identify. */
const BY_SIGN: Source = {
  kind: 'tuned',
  data: 'rendered cars with planted errors, one seed of `npm run bench -- detect --data demo`',
  how: 'signs from the meaning of each measurement, sizes by hand',
};

/** By family of kinds. */
export const FAMILY_PRIORS: Readonly<Record<Family, Prior<ColumnName>>> = {
  mirrored: {
    sentence: 'A label with left and right swapped everywhere.',
    source: BY_SIGN,
    slopes: { intercept: -2, gain: 6 },
  },
  displaced: {
    sentence: 'A label that is displaced as a whole.',
    source: BY_SIGN,
    slopes: { intercept: -3, gain: 6 },
  },
  outline: {
    sentence: 'A label that is coarse everywhere.',
    source: BY_SIGN,
    slopes: { intercept: -5, disagreement: -2, balance: 2, gain: 2, boundaryBias: 1, fullness: 1 },
  },
  missing: {
    sentence: 'Unlabelled parts, and holes.',
    source: {
      kind: 'tuned',
      data: 'labels of 199 DSMLR photos before people corrected them (`npm run bench -- detect --data real`)',
      how: 'logistic regression of right against wrong candidates, pulled towards values set by hand; rounded; no command does it',
    },
    slopes: {
      intercept: -7,
      confidence: 2.1,
      disagreement: 1.8,
      coverage: 1.3,
      size: 1.4,
      compactness: 0.9,
      enclosure: 0.8,
      absent: 0.3,
      balance: -1.3,
      context: 1,
      classIou: 0.4,
      together: 2.4,
      suggestedFit: 0.7,
      relativeSize: 0.4,
      otherErrors: 1,
    },
  },
  class: {
    sentence: 'Parts with the class of another part, and labels on no part.',
    source: PHOTOS,
    slopes: {
      intercept: -7,
      confidence: 2,
      disagreement: 2,
      coverage: 1,
      size: 0.5,
      compactness: 0.5,
      absent: 0.7,
      context: 1,
      classIou: 0.5,
      together: 3,
      givenFit: -0.7,
      suggestedFit: 0.5,
      relativeSize: 0.5,
      broken: 1,
      fitting: 1,
    },
  },
  shape: {
    sentence: 'Parts in another place or with another shape.',
    source: PHOTOS,
    slopes: { intercept: -5, confidence: 1, disagreement: 1, size: 0.3, context: 1, gain: 1.2, classIou: 0.5 },
  },
  rule: {
    sentence: 'Parts that break a rule of the taxonomy.',
    source: BY_SIGN,
    slopes: { intercept: -1, disagreement: 1, gain: 0.2, givenFit: -0.3 },
  },
  empty: {
    sentence: 'Nearly empty labels. None is injected, so this prior stays as it is.',
    source: BY_SIGN,
    slopes: { intercept: 1, confidence: 2 },
  },
};

/** Log odds of a further kind relative to the first of its family; 0 for kinds that are not listed. */
export const KIND_PRIORS: Readonly<Partial<Record<FindingKind, number>>> = valuesOf({
  hole: constant(-1, 'log odds', 'A hole is less often wrong than a missing part that looks like it.', PHOTOS),
});

/** Prior of the regression over images. */
export const IMAGE_PRIOR: Prior<ImageColumnName> = {
  sentence: 'An image whose label is wrong somewhere.',
  source: PHOTOS,
  slopes: {
    intercept: -1,
    best: 2,
    several: 1.5,
    unlabelled: 2,
    holes: 0.5,
    wrongClass: 1,
    extra: 0.5,
    absentParts: 0.5,
  },
};

/** Expected numbers of wrong ones before looking, and the weight of these expectations. */
export const EXPECTED = valuesOf({
  candidatesPerImage: constant(0.03, 'wrong candidates per group and image', 'Expected before looking.', PHOTOS),
  candidateStrength: constant(3, 'candidates', 'Weight of that expectation, in candidates of a group.', PHOTOS),
  imagesPerImage: constant(
    0.15,
    'wrong images per image',
    'Lies between the 27 % of car photos that people corrected and the few percent of published test sets.',
    {
      kind: 'tuned',
      data: 'corrected labels of real car photos; test sets of Northcutt et al. 2021 (arXiv 2103.14749)',
      how: 'a guess between both; all but the smallest chunks overrule it',
    },
  ),
  imageStrength: constant(10, 'images', 'Weight of that expectation, in images.', PHOTOS),
});

/** The coefficients towards which the regressions of a scan are pulled. */
export interface Priors {
  families: Readonly<Record<Family, Coefficients>>;
  image: Coefficients;
}

/** The priors above as coefficients in the order of the rows. */
export const PRIORS: Priors = {
  families: Object.fromEntries(FAMILY_NAMES.map((family) => [family, familyPrior(family)])) as Priors['families'],
  image: IMAGE_COLUMNS.map(({ name }) => IMAGE_PRIOR.slopes[name] ?? 0),
};

function familyPrior(family: Family): Coefficients {
  return [
    ...COLUMNS.map(({ name }) => FAMILY_PRIORS[family].slopes[name] ?? 0),
    ...FURTHER_KINDS[family].map((kind) => KIND_PRIORS[kind] ?? 0),
  ];
}
