import { FAMILY_NAMES, type Family, isWhole } from './families.js';
import type { MeasuredCandidate, MeasuredImage } from './featureTable.js';
import { EXPECTED, type Priors } from './priors.js';
import type { Coefficients } from './statistics/logistic.js';
import {
  fitPositiveUnlabelled,
  type PositiveUnlabelledFit,
  probabilityWrong,
} from './statistics/positiveUnlabelled.js';
import { FAMILY_RIDGE } from './thresholds.js';
import { DEPENDENT_FAMILY, fitWithinLabel } from './withinLabel.js';

/** The detector of each family of kinds. */
export type FamilyFits = Readonly<Record<Family, PositiveUnlabelledFit>>;

/**
 * First stage: one regression per family of kinds, injected errors against the labels as they are. Families of the
 * whole label come first: a label that is wrong as a whole has a candidate at every part, and none of those is an
 * example.
 */
export function fitFamilies(images: readonly MeasuredImage[], priors: Priors['families']): FamilyFits {
  const fitted = new Map<Family, PositiveUnlabelledFit>();
  /** By image: the probability that its label is not wrong as a whole. */
  const sound = images.map(() => 1);
  for (const family of FAMILY_NAMES) {
    const fit = (): PositiveUnlabelledFit => fitFamily(images, family, sound, priors[family]);
    const detector = family === DEPENDENT_FAMILY ? fitWithinLabel(images, fit) : fit();
    fitted.set(family, detector);
    images.forEach(({ candidates }, image) => {
      for (const item of candidates)
        if (item.family === family && isWhole(item.candidate))
          sound[image] = (sound[image] as number) * (1 - probabilityWrong(detector, item));
    });
  }
  return Object.fromEntries(fitted) as Record<Family, PositiveUnlabelledFit>;
}

/** Injected candidates that are examples of a family. */
export const injectedOf = (images: readonly MeasuredImage[], family: Family): MeasuredCandidate[] =>
  images.flatMap(({ copies }) =>
    copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && item.family === family)),
  );

function fitFamily(
  images: readonly MeasuredImage[],
  family: Family,
  sound: readonly number[],
  prior: Coefficients,
): PositiveUnlabelledFit {
  const unknown = images.flatMap(({ candidates }, image) =>
    candidates.filter((item) => item.family === family).map((item) => ({ ...item, weight: sound[image] as number })),
  );
  return fitPositiveUnlabelled(injectedOf(images, family), unknown, {
    prior,
    ridge: leastRidge(family) + FAMILY_RIDGE.byRows / Math.max(1, unknown.length),
    expected: EXPECTED.candidatesPerImage * images.length,
    strength: EXPECTED.candidateStrength,
  });
}

const leastRidge = (family: Family): number =>
  family === 'missing' || family === 'class' ? FAMILY_RIDGE[family] : FAMILY_RIDGE.least;
