import { constant, OURS, RENDERED, valuesOf } from '../constants.js';

// Thresholds by which a label is cut into candidates. They decide where the scan looks; `calibrate/` decides what it
// believes. A change here changes analyses: raise `ANALYSIS_VERSION` and the step's version with it.

/** `picture.ts`: what is too small or too near an edge to be looked at. */
export const PICTURE = valuesOf({
  minAreaShare: constant(0.001, 'share of the picture', 'Smaller regions are not looked at.', {
    kind: 'convention',
    whose: 'ours: the size from which a component counts as wrong (docs/mislabel.md)',
  }),
  minAreaPixels: constant(8, 'pixels', 'The smallest region is never smaller than this.', OURS),
  edgeShare: constant(
    0.016,
    'share of the longer side',
    'Disagreement nearer to an edge is a matter of outlines.',
    RENDERED,
  ),
  edgePixels: constant(2, 'pixels', 'The edge width is never smaller than this.', OURS),
  balanceBound: constant(3, 'log', 'The balance of two areas is clipped to plus and minus this.', OURS),
});

/** `adjacency.ts`: what touches a region. */
export const ADJACENCY = valuesOf({
  telling: constant(
    0.1,
    'share of what touches the region',
    'So much has to tell two classes apart before it is taken for all there is to say.',
    RENDERED,
  ),
  unknown: constant(0.5, 'share', 'Nothing touches the region, or its class declares no neighbours.', OURS),
});

/** `missing.ts`: parts and holes that are not labelled. */
export const MISSING = valuesOf({
  mostOfPart: constant(
    0.5,
    'share of the predicted part',
    'A region that is so much of a part is a candidate.',
    RENDERED,
  ),
  someOfPart: constant(
    0.15,
    'share of the predicted part',
    'A thick region is a candidate if it is so much of a part.',
    RENDERED,
  ),
  thickEdges: constant(1.25, 'edge widths', 'A region with such an inradius is thick.', RENDERED),
  wholePart: constant(
    0.8,
    'share of the predicted part',
    'A region that is so much of a part is the part, not a sliver along its edge.',
    RENDERED,
  ),
  coreFrom: constant(0.25, 'inradii', 'The core of a component begins so far from its edge.', RENDERED),
  absentBelow: constant(0.5, 'smallest areas', 'A class with less area counts as labelled nowhere.', OURS),
  holeFrom: constant(0.5, 'smallest areas', 'A hole adds to the unlabelled mass from this area on.', OURS),
  holeKnown: constant(0.5, 'share of the hole', 'A hole is no candidate if missing parts cover so much of it.', OURS),
  holeSuggests: constant(0.3, 'share of the hole', 'The class seen on so much of a hole is suggested.', RENDERED),
});

/** `wrongClass.ts`: labelled components under which the model sees something else. */
export const WRONG_CLASS = valuesOf({
  coreFrom: constant(0.25, 'inradii', 'The core of a component begins so far from its edge.', RENDERED),
  otherShare: constant(0.4, 'share of the core', 'Another part has to be seen on so much.', RENDERED),
  otherShareBroken: constant(
    0.25,
    'share of the core',
    'The same for a component that breaks a rule of the taxonomy.',
    RENDERED,
  ),
  displacedFrom: constant(
    0.25,
    'share of the core',
    'A displacement is tried if so much is seen as nothing.',
    RENDERED,
  ),
  displacedGain: constant(0.2, 'IoU', 'A displaced reading has to fit better by this.', RENDERED),
  displacedIou: constant(0.6, 'IoU', 'A displaced reading has to fit so well.', RENDERED),
  nothingShare: constant(0.4, 'share of the core', 'A part is extra if so much is seen as nothing.', RENDERED),
  swallowedHere: constant(
    0.5,
    'share of the predicted part',
    'A part is merged into this one if so much of it lies below.',
    RENDERED,
  ),
  swallowedElsewhere: constant(
    0.3,
    'share of the predicted part',
    'A part is not merged if so much of it is labelled as itself.',
    RENDERED,
  ),
  outlineIou: constant(0.5, 'IoU', 'An outline is a candidate below this.', RENDERED),
  outlineAreas: constant(4, 'smallest areas', 'Outlines of smaller components are not judged.', OURS),
  absentBelow: constant(0.5, 'smallest areas', 'A class with less area counts as labelled nowhere.', OURS),
});

/** `displacement.ts`: where else a component may fit. */
export const DISPLACEMENT = valuesOf({
  steps: constant(4, 'steps to each side', 'Displacements that are tried along each axis.', OURS),
  samples: constant(32, 'samples a side', 'The component is read at about so many places.', OURS),
  reach: constant(0.4, "share of the component's box", 'The furthest displacement.', RENDERED),
});

/** `outline.ts`: outlines of the label as a whole. */
export const OUTLINE = valuesOf({
  bandEdges: constant(2, 'edge widths', 'The band along outlines in which they are compared.', RENDERED),
  leastAreas: constant(4, 'smallest areas', 'Label and prediction have to show so much of a car.', OURS),
  samePlace: constant(
    0.5,
    'share of the smaller area',
    'A part is in the same place if label and prediction share so much; others say nothing about outlines.',
    RENDERED,
  ),
  areaBiasScale: constant(10, 'factor', 'Brings the area bias to the scale of the other features.', OURS),
  areaBiasBound: constant(3, 'scaled log', 'The area bias is clipped to plus and minus this.', OURS),
});

/** `wholeLabel.ts`: other readings of the label as a whole. */
export const WHOLE_LABEL = valuesOf({
  grid: constant(48, 'pixels a side', 'Readings are compared on a grid of at most this size.', OURS),
  coarseStep: constant(2, 'grid pixels', 'Steps between the displacements that are tried first.', OURS),
  coarseReach: constant(2, 'coarse steps', 'Displacements to each side that are tried first.', OURS),
  emptyBelow: constant(0.1, 'share of the predicted car', 'A label with less area is empty.', RENDERED),
  carFrom: constant(0.03, 'share of the picture', 'A label can only be empty if so much of a car is seen.', RENDERED),
});

/** `analyse.ts`: sums of the image, and which candidates of copies teach. */
export const ANALYSIS = valuesOf({
  copies: constant(3, 'copies an image', 'Copies of each label that get injected errors.', RENDERED),
  absentFrom: constant(2, 'smallest areas', 'A part that is seen with less area is not absent.', OURS),
  absentBelow: constant(0.1, 'share of the predicted part', 'A part with less labelled area is absent.', RENDERED),
  changed: constant(
    0.5,
    "share of the candidate's region",
    'A candidate of a copy is wrong if the injection changed so much of its region.',
    RENDERED,
  ),
  samePart: constant(
    0.4,
    'IoU',
    'Where errors are whole parts, region and part have to overlap so much: slivers teach nothing.',
    RENDERED,
  ),
});

/** `inferTags.ts`: the view that the prediction shows. */
export const VIEW = valuesOf({
  leastParts: constant(3, 'predicted parts', 'Parts with declared angles that an angle needs.', RENDERED),
  mostAngles: constant(5, 'angles', 'The angle is unknown if more of them fit equally well.', RENDERED),
  sidedAreas: constant(2, 'smallest areas', 'Sided parts that an orientation needs.', OURS),
  sideRatio: constant(2, 'factor', 'One side has to cover so much more than the other.', RENDERED),
  zoomedFrom: constant(
    0.2,
    "share of the picture's rim",
    'A picture is zoomed if its rim shows so much car.',
    RENDERED,
  ),
});
