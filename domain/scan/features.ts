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
  enclosure: feature('0..1', "Share of the region's rim that lies on labelled parts."),
  absent: feature('0 or 1', '1 if the suggested class is labelled nowhere in the picture.'),
  balance: feature(
    'log, -3..3',
    'How much more of the class is labelled than seen; of outlines of the whole label the area bias.',
  ),
  context: feature('0..1', 'Mean probability of the prediction over the whole car: low where the model is lost.'),
  gain: feature('-1..1', 'How much better another reading of the label fits; 0 where the kind has none.'),
} as const;

/** The measurements of only some kinds. */
export const SOME_FEATURES = {
  broken: feature('count', 'Rules of the taxonomy that the labelled component breaks.'),
  fitting: feature(
    '-1..1',
    'How much more of what touches the region lies beside the suggested class on a car than beside the labelled one.',
  ),
  spill: feature(
    '-1..1',
    'Boundary bias: share of the band labelled as a part that the model does not see, less the opposite.',
  ),
  fullness: feature('-1..1', 'How much more of its convex hull a labelled part fills than the one that is seen.'),
} as const;

/** Raw measurements of a candidate, before anything about the chunk is known. All are finite. */
export type CandidateFeatures = Record<keyof typeof FEATURES, number> &
  Partial<Record<keyof typeof SOME_FEATURES, number>>;
