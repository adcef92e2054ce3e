import { FAMILY_NAMES, type Family, familyPrior, isWhole } from './features.js';
import type { MeasuredCandidate, MeasuredImage } from './featureTable.js';
import { fitPositiveUnlabelled, type Mixture, probabilityWrong } from './positiveUnlabelled.js';
import { DEPENDENT_FAMILY, fitWithinLabel } from './withinLabel.js';

/** Wrong candidates of a group expected for each image before looking, and how many candidates that is worth. */
const EXPECTED = { perImage: 0.03, strength: 3 };
/**
 * Pull of the regressions towards their priors: what separates perfectly may be trusted far, but not where there is only a
 * handful of candidates, which any measurement may tell from the injected ones by chance.
 */
const RIDGE = { least: 0.05, byRows: 12 };

/** The detector of each family of kinds. */
export type FamilyFits = Readonly<Record<Family, Mixture>>;

/**
 * First stage: one regression per family of kinds, injected errors against the labels as they are. Families of the whole label
 * come first: a label that is wrong as a whole has a candidate at every part, and none of those is an example of anything.
 */
export function fitFamilies(images: readonly MeasuredImage[]): FamilyFits {
  const fitted = new Map<Family, Mixture>();
  /** By image: the probability that its label is not wrong as a whole. */
  const sound = images.map(() => 1);
  for (const family of FAMILY_NAMES) {
    const fit = (): Mixture => fitFamily(images, family, sound);
    const mixture = family === DEPENDENT_FAMILY ? fitWithinLabel(images, fit) : fit();
    fitted.set(family, mixture);
    images.forEach(({ candidates }, image) => {
      for (const item of candidates)
        if (item.family === family && isWhole(item.candidate))
          sound[image] = (sound[image] as number) * (1 - probabilityWrong(mixture, item));
    });
  }
  return Object.fromEntries(fitted) as Record<Family, Mixture>;
}

/** Injected candidates that are examples of a family. */
export const injectedOf = (images: readonly MeasuredImage[], family: Family): MeasuredCandidate[] =>
  images.flatMap(({ copies }) =>
    copies.flatMap(({ candidates }) => candidates.filter((item) => item.teaches && item.family === family)),
  );

function fitFamily(images: readonly MeasuredImage[], family: Family, sound: readonly number[]): Mixture {
  const unknown = images.flatMap(({ candidates }, image) =>
    candidates.filter((item) => item.family === family).map((item) => ({ ...item, weight: sound[image] as number })),
  );
  return fitPositiveUnlabelled(injectedOf(images, family), unknown, {
    prior: familyPrior(family),
    ridge: RIDGE.least + RIDGE.byRows / Math.max(1, unknown.length),
    expected: EXPECTED.perImage * images.length,
    strength: EXPECTED.strength,
  });
}
