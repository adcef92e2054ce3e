import { constant, OURS, PHOTOS, RENDERED, valuesOf } from '../constants.js';

// How measurements become probabilities. What is believed of kinds before looking stands in `priors.ts`.

/** `features.ts`: how measurements are brought to scales on which a slope of 1 is neither much nor little. */
export const SCALES = valuesOf({
  sizeUnits: constant(1_000, 'regions a picture', 'An area of one in so many has size 0.', OURS),
  sizeDivisor: constant(3, 'log', 'Divides the size.', OURS),
  leastSize: constant(-1, 'scaled log', 'Smaller sizes count as this.', OURS),
  mostSize: constant(2, 'scaled log', 'Larger sizes count as this.', OURS),
  balanceDivisor: constant(3, 'log', 'Divides the balance.', OURS),
  gainFactor: constant(5, 'factor', 'Multiplies the gain.', OURS),
  leastGain: constant(-0.05, 'gain', 'A reading that fits worse counts as this.', RENDERED),
  mostGain: constant(0.25, 'gain', 'A reading that fits better by more counts as this.', RENDERED),
  fitDivisor: constant(2, 'log2', 'Divides the plausibility of a class.', OURS),
  leastRelativeSize: constant(-3, 'log', "Areas further below the class's usual one count as this.", OURS),
  mostRelativeSize: constant(1, 'log', "Areas further above the class's usual one count as this.", OURS),
  relativeSizeDivisor: constant(2, 'log', 'Divides the relative size.', OURS),
  boundaryBiasFactor: constant(5, 'factor', 'Multiplies the boundary bias.', OURS),
  fullnessFactor: constant(10, 'factor', 'Multiplies the fullness.', OURS),
  mostBroken: constant(2, 'rules', 'More broken rules count as this.', OURS),
  fittingFactor: constant(2, 'factor', 'Multiplies the fitting.', OURS),
  leastBest: constant(1e-4, 'probability', 'A best candidate below counts as this.', OURS),
  mostBest: constant(0.999, 'probability', 'A best candidate above counts as this.', OURS),
  bestDivisor: constant(3, 'log odds', 'Divides the log odds of the best candidate.', OURS),
  mostOfSeveral: constant(0.98, 'probability', 'A candidate above adds this to the sum.', OURS),
  severalDivisor: constant(3, 'log', 'Divides the sum over candidates.', OURS),
  mostSeveral: constant(2, 'scaled log', 'Larger sums count as this.', OURS),
  absentPartsDivisor: constant(2, 'parts', 'Divides the absent parts.', OURS),
  mostAbsentParts: constant(2, 'half parts', 'More absent parts count as this.', OURS),
  agreementFactor: constant(2, 'factor', 'Multiplies the agreement.', OURS),
  clarityFactor: constant(2, 'factor', 'Multiplies the clarity.', OURS),
  expectedFactor: constant(4, 'factor', 'Multiplies the expected agreement.', OURS),
  usualAgreement: constant(0.8, 'agreement', 'Where the expected agreement is 0 on its scale.', OURS),
});

/** `classes.ts` and `featureTable.ts`: classes of which the scan knows nothing. */
export const UNKNOWN_CLASS = valuesOf({
  threshold: constant(
    0.5,
    'probability',
    'The confident-learning threshold of a class that is labelled nowhere.',
    OURS,
  ),
  iou: constant(0.5, 'IoU', 'The IoU of a class that is neither labelled nor seen.', OURS),
});

/** `cooccurrence.ts`: which parts are labelled beside which. */
export const COOCCURRENCE = valuesOf({
  strength: constant(5, 'images', 'The overall frequency of a class is worth so many images.', RENDERED),
  least: constant(-6, 'log2', 'No class fits worse than this.', OURS),
  addedLabelled: constant(1, 'images', 'Added to the images in which a class is labelled.', {
    kind: 'convention',
    whose: "Laplace's rule of succession",
  }),
  addedImages: constant(2, 'images', 'Added to all images.', {
    kind: 'convention',
    whose: "Laplace's rule of succession",
  }),
});

/** `expectedAgreement.ts`: agreement that is usual for pictures with the same tags. */
export const EXPECTED_AGREEMENT = valuesOf({
  strength: constant(8, 'images', 'The whole scan is worth so many images of a tag value.', RENDERED),
});

/** `explainAway.ts`: candidates about the same region. */
export const EXPLAIN_AWAY = valuesOf({
  sameRegion: constant(0.5, 'IoU of boxes', 'Two candidates are about the same region from here on.', RENDERED),
});

/** `familyFits.ts`: the pull of the candidates' regressions towards their priors. */
export const FAMILY_RIDGE = valuesOf({
  least: constant(
    0.05,
    'precision',
    'What separates perfectly may be trusted far: the pull that many candidates leave.',
    RENDERED,
  ),
  byRows: constant(
    12,
    'precision × candidates',
    'Added, divided by the candidates: any measurement may tell a handful from injected ones by chance.',
    RENDERED,
  ),
});

/** `imageProbabilities.ts`: the regression over images. */
export const IMAGE_FIT = valuesOf({
  ridge: constant(1, 'precision', 'The pull of the regression towards its prior.', OURS),
  sliceSlack: constant(1, 'standard errors', 'A slice may be more suspect than others by so much.', RENDERED),
  doubt: constant(1, 'images', 'Added to the images that each kind is found in, so that none weighs nothing.', OURS),
});

/** `candidateSlices.ts`: single candidates, which crowd by chance. */
export const CANDIDATE_SLICES = valuesOf({
  slack: constant(3, 'standard errors', 'A slice may be more suspect than others by so much.', RENDERED),
});

/** `sliceRecalibration.ts`: how shifts of slices are found. */
export const SLICES = valuesOf({
  passes: constant(4, 'passes', 'Slices overlap: shifts are found again so often.', OURS),
  halvings: constant(30, 'halvings', 'Steps of the bisection for a shift.', OURS),
  bound: constant(1e-6, 'probability', 'Probabilities nearer to 0 or 1 count as this.', OURS),
  leastRight: constant(0.5, 'share', 'The variance of a rate takes no fewer to be right.', OURS),
  mostShift: constant(10, 'log odds', 'The furthest that one slice lowers log odds.', OURS),
});

/** `withinLabel.ts`: errors of one label that depend on each other. */
export const WITHIN_LABEL = valuesOf({
  rounds: constant(2, 'fits', 'Fits in which each candidate is told how suspect the others are.', OURS),
  strength: constant(1, 'candidates', 'The share of injected errors that come together is worth so many.', OURS),
  leastShare: constant(1e-3, 'share', 'Smaller shares count as this where they divide.', OURS),
});

/** `logistic.ts`: when Newton's method ends. */
export const LOGISTIC = valuesOf({
  newtonSteps: constant(25, 'steps', 'No fit takes more.', OURS),
  leastCurve: constant(1e-9, 'p (1 - p)', 'Flatter rows count as this.', OURS),
  leastStep: constant(1e-4, 'Newton steps', 'A step that does not help is halved until here.', OURS),
  leastGain: constant(1e-9, 'relative loss', 'A fit ends when a step gains less.', OURS),
  leastPivot: constant(1e-12, 'pivot', 'Smaller pivots of the Cholesky factor count as this.', OURS),
});

/** `positiveUnlabelled.ts`: how shares and likelihood ratios are fitted. */
export const POSITIVE_UNLABELLED = valuesOf({
  rounds: constant(12, 'rounds', 'Fits of the ratio and of the shares in turn.', OURS),
  shareSteps: constant(100, 'steps', 'Steps of expectation maximisation for a share.', OURS),
  shareTolerance: constant(1e-6, 'share', 'Maximisation ends when a share moves by less.', OURS),
  mostRows: constant(20_000, 'rows', 'More rows of a side are thinned evenly: enough for a dozen coefficients.', OURS),
  depths: constant(
    [0.35, 0.5, 0.65, 0.8, 0.9, 1] as readonly number[],
    'shares of the injected rows',
    'Depths, most suspect first, at which the unknown rows are counted.',
    RENDERED,
  ),
  leastShare: constant(0.002, 'share', 'No group is estimated to be wrong less often.', OURS),
  mostShare: constant(0.97, 'share', 'No group is estimated to be wrong more often.', OURS),
  leastExpected: constant(0.02, 'share', 'No group is expected to be wrong less often before looking.', PHOTOS),
  mostExpected: constant(0.8, 'share', 'No group is expected to be wrong more often before looking.', PHOTOS),
  slack: constant(1, 'standard deviations', 'A count may be so low by chance.', {
    kind: 'convention',
    whose: 'ours: one standard deviation of a Poisson count',
  }),
  few: constant(5, 'injected rows', 'Fewer bound nothing.', OURS),
});

/** `plattScaling.ts`: what reviewers' answers do. */
export const PLATT = valuesOf({
  ridge: constant(5, 'precision', 'The pull towards no correction: two answers change little and forty a lot.', OURS),
  mostWeight: constant(20, 'weight', 'One rarely drawn image must not outweigh a hundred others.', OURS),
  bound: constant(1e-4, 'probability', 'Probabilities nearer to 0 or 1 count as this.', OURS),
});
