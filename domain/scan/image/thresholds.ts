import { constant, OURS, RENDERED, type Source, valuesOf } from '../constants.js';

// Thresholds by which a label is cut into candidates. They decide where the scan looks; `calibrate/` decides the
// probabilities. A change here changes analyses: raise `ANALYSIS_VERSION` and the step's version with it.

/** `picture.ts`: limits below which a region is too small or too near an edge. */
export const PICTURE = valuesOf({
  minAreaShare: constant(0.001, 'share of the picture', 'Smaller regions are ignored.', {
    kind: 'convention',
    whose: 'ours: the least size of a component that counts as wrong (docs/mislabel.md)',
  }),
  minAreaPixels: constant(8, 'pixels', 'The smallest region has at least this area.', OURS),
  edgeShare: constant(
    0.016,
    'share of the longer side',
    'Disagreement nearer to an edge counts as a matter of outlines.',
    RENDERED,
  ),
  edgePixels: constant(2, 'pixels', 'The edge width is at least this.', OURS),
  balanceBound: constant(3, 'log', 'The balance of two areas is clipped to plus and minus this.', OURS),
});

/** `adjacency.ts`: the surroundings of a region. */
export const ADJACENCY = valuesOf({
  telling: constant(
    0.1,
    'share of what touches the region',
    'At least this share must tell two classes apart to count fully.',
    RENDERED,
  ),
  unknown: constant(0.5, 'share', 'Used if nothing touches the region or its class declares no neighbours.', OURS),
});

/** `missing.ts`: unlabelled parts and holes. */
export const MISSING = valuesOf({
  mostOfPart: constant(
    0.5,
    'share of the predicted part',
    'A region with at least this share of a part is a candidate.',
    RENDERED,
  ),
  someOfPart: constant(
    0.15,
    'share of the predicted part',
    'A thick region with at least this share of a part is a candidate.',
    RENDERED,
  ),
  thickEdges: constant(1.25, 'edge widths', 'A region with at least this inradius is thick.', RENDERED),
  wholePart: constant(
    0.8,
    'share of the predicted part',
    'A region with at least this share of a part is the part, not a sliver along its edge.',
    RENDERED,
  ),
  coreFrom: constant(0.25, 'inradii', 'The core of a component begins this far from its edge.', RENDERED),
  absentBelow: constant(0.5, 'smallest areas', 'A class with less area than this counts as labelled nowhere.', OURS),
  holeFrom: constant(0.5, 'smallest areas', 'A hole of at least this area adds to the unlabelled mass.', OURS),
  holeKnown: constant(
    0.5,
    'share of the hole',
    'A hole is no candidate if missing parts cover at least this share of it.',
    OURS,
  ),
  holeSuggests: constant(
    0.3,
    'share of the hole',
    'The class seen on at least this share of a hole is suggested.',
    RENDERED,
  ),
});

/** `wrongClass.ts`: labelled components where the model sees something else. */
export const WRONG_CLASS = valuesOf({
  coreFrom: constant(0.25, 'inradii', 'The core of a component begins this far from its edge.', RENDERED),
  otherShare: constant(0.4, 'share of the core', 'The model must see another part on at least this share.', RENDERED),
  otherShareBroken: constant(
    0.25,
    'share of the core',
    'The same for a component that breaks a rule of the taxonomy.',
    RENDERED,
  ),
  displacedFrom: constant(
    0.25,
    'share of the core',
    'A displacement is tried if the model sees background on at least this share.',
    RENDERED,
  ),
  displacedGain: constant(0.2, 'IoU', 'A displaced reading must fit better by this.', RENDERED),
  displacedIou: constant(0.6, 'IoU', 'A displaced reading must fit at least this well.', RENDERED),
  nothingShare: constant(
    0.4,
    'share of the core',
    'A part is extra if the model sees background on at least this share.',
    RENDERED,
  ),
  swallowedHere: constant(
    0.5,
    'share of the predicted part',
    'A part is merged into this one if at least this share of it is labelled as this one.',
    RENDERED,
  ),
  swallowedElsewhere: constant(
    0.3,
    'share of the predicted part',
    'A part is not merged if at least this share of it is labelled as itself.',
    RENDERED,
  ),
  outlineIou: constant(0.5, 'IoU', 'An outline below this is a candidate.', RENDERED),
  outlineAreas: constant(4, 'smallest areas', 'Outlines of smaller components are not judged.', OURS),
  absentBelow: constant(0.5, 'smallest areas', 'A class with less area than this counts as labelled nowhere.', OURS),
});

/** `displacement.ts`: other places where a component may fit. */
export const DISPLACEMENT = valuesOf({
  steps: constant(4, 'steps to each side', 'Displacements to try along each axis.', OURS),
  samples: constant(32, 'samples per side', 'The component is read at about this many places.', OURS),
  reach: constant(0.4, "share of the component's box", 'Largest displacement.', RENDERED),
});

/** `outline.ts`: outlines of the label as a whole. */
export const OUTLINE = valuesOf({
  bandEdges: constant(2, 'edge widths', 'The band along outlines in which they are compared.', RENDERED),
  leastAreas: constant(4, 'smallest areas', 'Label and prediction must show at least this area of a car.', OURS),
  samePlace: constant(
    0.5,
    'share of the smaller area',
    'A part is in the same place if label and prediction share at least this; other parts tell nothing about outlines.',
    RENDERED,
  ),
  areaBiasScale: constant(10, 'factor', 'Brings the area bias to the scale of the other features.', OURS),
  areaBiasBound: constant(3, 'scaled log', 'The area bias is clipped to plus and minus this.', OURS),
});

/** `wholeLabel.ts`: other readings of the label as a whole. */
export const WHOLE_LABEL = valuesOf({
  grid: constant(48, 'pixels per side', 'Readings are compared on a grid of at most this size.', OURS),
  coarseStep: constant(2, 'grid pixels', 'Step between the displacements that are tried first.', OURS),
  coarseReach: constant(2, 'coarse steps', 'Displacements to each side that are tried first.', OURS),
  emptyBelow: constant(0.1, 'share of the predicted car', 'A label with less area than this is empty.', RENDERED),
  carFrom: constant(
    0.03,
    'share of the picture',
    'A label can only be empty if at least this much of a car is seen.',
    RENDERED,
  ),
});

/** `analyse.ts`: sums over the image, and the candidates of copies that are examples. */
export const ANALYSIS = valuesOf({
  copies: constant(3, 'copies per image', 'Copies of each label that get injected errors.', RENDERED),
  absentFrom: constant(2, 'smallest areas', 'A part that is seen with less area than this is not absent.', OURS),
  absentBelow: constant(
    0.1,
    'share of the predicted part',
    'A part with less labelled area than this is absent.',
    RENDERED,
  ),
  changed: constant(
    0.5,
    "share of the candidate's region",
    'A candidate of a copy is wrong if the injection changed at least this share of its region.',
    RENDERED,
  ),
  samePart: constant(
    0.4,
    'IoU',
    'If errors are whole parts, region and part must overlap by at least this: slivers are no examples.',
    RENDERED,
  ),
});

/** Where the rim of a picture tells zoomed pictures from whole cars. */
const RIMS: Source = {
  kind: 'tuned',
  data: '119 zoomed and 349 whole rendered cars by their right labels, seeds 301 to 303, on 2026-11-28',
  how: 'the rim of a zoomed picture shows the car on at least 5 % in 98 %, on 20 % in 41 %; of a whole car nowhere',
};

/** `inferTags.ts`: the view that the prediction shows. */
export const VIEW = valuesOf({
  leastParts: constant(3, 'predicted parts', 'Number of parts with declared angles that an angle needs.', RENDERED),
  sidedAreas: constant(2, 'smallest areas', 'Area of sided parts that an orientation needs.', OURS),
  sideRatio: constant(2, 'factor', 'One side must cover this much more than the other.', RENDERED),
  surelyZoomedFrom: constant(
    0.2,
    "share of the picture's rim",
    'Rules and slices take a picture for zoomed if at least this much of its rim shows a car.',
    {
      kind: 'tuned',
      data: '199 photos with the labels that people made, judges of the old labels alone, on 2026-11-28',
      how: 'AUROC of images 0.877 with 0.2, 0.868 with 0.05, although 0.05 tells more zoomed pictures',
    },
  ),
  zoomedFrom: constant(
    0.05,
    "share of the picture's rim",
    'A picture is zoomed if at least this much of its rim shows a car.',
    RIMS,
  ),
});
