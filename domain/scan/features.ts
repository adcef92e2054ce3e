/** The meaning of a measured number. */
interface Feature {
  unit: string;
  sentence: string;
}

const feature = (unit: string, sentence: string): Feature => ({ unit, sentence });

/** The measurements of every candidate, by their names in the code and in `evidence` of a finding. */
export const FEATURES = {
  confidence: feature('0..1', 'Mean probability of the prediction over the region.'),
  disagreement: feature(
    '0..1',
    "Share of the region's core on which label and prediction disagree in the way of the kind.",
  ),
  coverage: feature('0..1', 'Share of the whole predicted (or labelled) component that the region covers.'),
  compactness: feature('0..1', 'Inradius of the region divided by the root of its area.'),
  enclosure: feature('0..1', "Share of the region's rim that is on labelled parts."),
  absent: feature('0 or 1', '1 if the suggested class is labelled nowhere in the picture.'),
  balance: feature(
    'log, -3..3',
    'Labelled area of the class relative to the predicted one; for outlines of the whole label the area bias.',
  ),
  context: feature('0..1', 'Mean probability of the prediction over the whole car: low if the model is lost.'),
  gain: feature('-1..1', 'Improvement of the fit by another reading of the label; 0 if the kind has none.'),
} as const;

/** The measurements of only some kinds. */
export const SOME_FEATURES = {
  broken: feature('count', 'Rules of the taxonomy that the labelled component breaks.'),
  fitting: feature(
    '-1..1',
    'Contact of the region with neighbours of the suggested class, less that with neighbours of the labelled one.',
  ),
  spill: feature(
    '-1..1',
    'Boundary bias: share of the band labelled as a part but predicted as background, less the opposite.',
  ),
  fullness: feature('-1..1', "Filled share of a labelled part's convex hull, less that of the predicted part."),
} as const;

/** Raw measurements of a candidate, before anything about the chunk is known. All are finite. */
export type CandidateFeatures = Record<keyof typeof FEATURES, number> &
  Partial<Record<keyof typeof SOME_FEATURES, number>>;
