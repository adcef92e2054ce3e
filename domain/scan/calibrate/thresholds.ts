import { constant, OLD_LABELS, OURS, PHOTOS, RENDERED, valuesOf } from '../constants.js';

// How measurements become probabilities. Prior beliefs about kinds are in `priors.ts`.

/** `features.ts`: scales of measurements on which a slope of 1 is neither large nor small. */
export const SCALES = valuesOf({
  sizeUnits: constant(1_000, 'regions per picture', 'A region of one divided by this of the picture has size 0.', OURS),
  sizeDivisor: constant(3, 'log', 'Divides the size.', OURS),
  leastSize: constant(-1, 'scaled log', 'Smaller sizes count as this.', OURS),
  mostSize: constant(2, 'scaled log', 'Larger sizes count as this.', OURS),
  balanceDivisor: constant(3, 'log', 'Divides the balance.', OURS),
  gainFactor: constant(5, 'factor', 'Multiplies the gain.', OURS),
  leastGain: constant(-0.05, 'gain', 'Smaller gains count as this.', RENDERED),
  mostGain: constant(0.25, 'gain', 'Larger gains count as this.', RENDERED),
  fitDivisor: constant(2, 'log2', 'Divides the plausibility of a class.', OURS),
  leastRelativeSize: constant(-3, 'log', 'Areas further below the usual area of the class count as this.', OURS),
  mostRelativeSize: constant(1, 'log', 'Areas further above the usual area of the class count as this.', OURS),
  relativeSizeDivisor: constant(2, 'log', 'Divides the relative size.', OURS),
  boundaryBiasFactor: constant(5, 'factor', 'Multiplies the boundary bias.', OURS),
  fullnessFactor: constant(10, 'factor', 'Multiplies the fullness.', OURS),
  mostBroken: constant(2, 'rules', 'More broken rules count as this.', OURS),
  fittingFactor: constant(2, 'factor', 'Multiplies the fitting.', OURS),
  leastBest: constant(1e-4, 'probability', 'A best candidate below this counts as this.', OURS),
  mostBest: constant(0.999, 'probability', 'A best candidate above this counts as this.', OURS),
  bestDivisor: constant(3, 'log odds', 'Divides the log odds of the best candidate.', OURS),
  mostOfSeveral: constant(0.98, 'probability', 'A candidate above this adds this to the sum.', OURS),
  severalDivisor: constant(3, 'log', 'Divides the sum over candidates.', OURS),
  mostSeveral: constant(2, 'scaled log', 'Larger sums count as this.', OURS),
  absentPartsDivisor: constant(2, 'parts', 'Divides the number of absent parts.', OURS),
  mostAbsentParts: constant(2, 'half parts', 'More absent parts count as this.', OURS),
  agreementFactor: constant(2, 'factor', 'Multiplies the agreement.', OURS),
  clarityFactor: constant(2, 'factor', 'Multiplies the clarity.', OURS),
  expectedFactor: constant(4, 'factor', 'Multiplies the expected agreement.', OURS),
  usualAgreement: constant(0.8, 'agreement', 'The expected agreement that is 0 on its scale.', OURS),
});

/** `classes.ts` and `featureTable.ts`: classes about which the scan knows nothing. */
export const UNKNOWN_CLASS = valuesOf({
  threshold: constant(
    0.5,
    'probability',
    'The confident-learning threshold of a class that is labelled nowhere.',
    OURS,
  ),
  iou: constant(0.5, 'IoU', 'The IoU of a class that is neither labelled nor seen.', OURS),
});

/** `cooccurrence.ts`: parts that are labelled together. */
export const COOCCURRENCE = valuesOf({
  strength: constant(5, 'images', 'Weight of the overall frequency of a class, in images.', RENDERED),
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

/** `expectedAgreement.ts`: usual agreement of pictures with the same tags. */
export const EXPECTED_AGREEMENT = valuesOf({
  strength: constant(8, 'images', 'Weight of the whole scan, in images of a tag value.', RENDERED),
});

/** `explainAway.ts`: candidates about the same region. */
export const EXPLAIN_AWAY = valuesOf({
  sameRegion: constant(
    0.5,
    'IoU of boxes',
    'Two candidates with at least this overlap are about the same region.',
    RENDERED,
  ),
});

/**
 * `familyFits.ts`: the pull of the candidates' regressions towards their priors. Injected errors differ from those of
 * people in more than what makes them wrong, and a free regression learns that difference. More data do not cure it.
 */
export const FAMILY_RIDGE = valuesOf({
  missing: constant(
    3_000,
    'precision',
    'Holds the slopes of missing parts at their prior: what people leave out is not drawn by lot.',
    OLD_LABELS,
  ),
  class: constant(10, 'precision', 'The pull for parts of a wrong class.', OLD_LABELS),
  least: constant(
    0.05,
    'precision',
    'The pull that remains with many candidates: perfect separation may be trusted far.',
    RENDERED,
  ),
  byRows: constant(
    12,
    'precision × candidates',
    'Divided by the number of candidates and added: by chance, any measurement may separate a handful from injected ones.',
    RENDERED,
  ),
});

/** `imageProbabilities.ts`: the regression over images. */
export const IMAGE_FIT = valuesOf({
  ridge: constant(
    0.25,
    'precision per image',
    'The pull of the regression towards its prior grows with the scan: more images do not make copies like real errors.',
    OLD_LABELS,
  ),
  sliceSlack: constant(1, 'standard errors', 'A slice may be more suspect than others by this much.', RENDERED),
  doubt: constant(
    1,
    'images',
    'Added to the number of images in which each kind is found, so that every kind has a weight.',
    OURS,
  ),
});

/** `candidateSlices.ts`: single candidates, which cluster by chance. */
export const CANDIDATE_SLICES = valuesOf({
  slack: constant(3, 'standard errors', 'A slice may be more suspect than others by this much.', RENDERED),
});

/** `sliceRecalibration.ts`: how the shifts of slices are computed. */
export const SLICES = valuesOf({
  passes: constant(4, 'passes', 'Slices overlap, so shifts are computed this many times.', OURS),
  halvings: constant(30, 'halvings', 'Steps of the bisection for a shift.', OURS),
  bound: constant(1e-6, 'probability', 'Probabilities nearer to 0 or 1 are clipped to this.', OURS),
  leastRight: constant(0.5, 'share', 'The variance of a rate assumes at least this share to be right.', OURS),
  mostShift: constant(10, 'log odds', 'Largest amount by which one slice lowers log odds.', OURS),
});

/** `withinLabel.ts`: dependent errors of one label. */
export const WITHIN_LABEL = valuesOf({
  rounds: constant(5, 'fits', 'Fits in which each candidate gets the suspicion of the others.', OLD_LABELS),
  strength: constant(
    1,
    'candidates',
    'Weight of the share of injected errors that come together, in candidates.',
    OURS,
  ),
  classStrength: constant(
    5,
    'candidates',
    'Weight of the class frequencies of injected errors, in candidates.',
    OLD_LABELS,
  ),
  leastShare: constant(1e-3, 'share', 'Smaller shares count as this when they are divisors.', OURS),
});

/** `logistic.ts`: the end of Newton's method. */
export const LOGISTIC = valuesOf({
  newtonSteps: constant(25, 'steps', 'Largest number of steps of a fit.', OURS),
  leastCurve: constant(1e-9, 'p (1 - p)', 'Flatter rows count as this.', OURS),
  leastStep: constant(1e-4, 'Newton steps', 'A step that does not help is halved down to this.', OURS),
  leastGain: constant(1e-9, 'relative loss', 'A fit ends when a step gains less than this.', OURS),
  leastPivot: constant(1e-12, 'pivot', 'Smaller pivots of the Cholesky factor count as this.', OURS),
});

/** `positiveUnlabelled.ts`: the fit of shares and likelihood ratios. */
export const POSITIVE_UNLABELLED = valuesOf({
  rounds: constant(12, 'rounds', 'Fits of the ratio and of the shares in turn.', OURS),
  shareSteps: constant(100, 'steps', 'Steps of expectation maximisation for a share.', OURS),
  shareTolerance: constant(1e-6, 'share', 'Maximisation ends when a share moves by less than this.', OURS),
  mostRows: constant(
    20_000,
    'rows',
    'More rows on a side are thinned evenly; this is enough for a dozen coefficients.',
    OURS,
  ),
  depths: constant(
    [0.35, 0.5, 0.65, 0.8, 0.9, 1] as readonly number[],
    'shares of the injected rows',
    'Depths, most suspect first, at which the unknown rows are counted.',
    RENDERED,
  ),
  leastShare: constant(0.002, 'share', 'Lowest estimated share of wrong ones in a group.', OURS),
  mostShare: constant(0.97, 'share', 'Highest estimated share of wrong ones in a group.', OURS),
  leastExpected: constant(0.02, 'share', 'Lowest expected share of wrong ones in a group before looking.', PHOTOS),
  mostExpected: constant(0.8, 'share', 'Highest expected share of wrong ones in a group before looking.', PHOTOS),
  slack: constant(1, 'standard deviations', 'A count may be this much too low by chance.', {
    kind: 'convention',
    whose: 'ours: one standard deviation of a Poisson count',
  }),
  few: constant(5, 'injected rows', 'Fewer rows give no bound.', OURS),
});

/** `plattScaling.ts`: the effect of reviewers' answers. */
export const PLATT = valuesOf({
  ridge: constant(5, 'precision', 'The pull towards no correction: two answers change little and forty a lot.', OURS),
  mostWeight: constant(20, 'weight', 'One rarely drawn image must not outweigh a hundred others.', OURS),
  bound: constant(1e-4, 'probability', 'Probabilities nearer to 0 or 1 are clipped to this.', OURS),
});
