import { constant, OURS, valuesOf } from '../constants.js';

/** `reduce.ts`: limits of reported findings. */
export const REPORTED = valuesOf({
  findingAt: constant(
    0.2,
    'probability',
    'Candidates that are separate errors with less probability than this are not reported.',
    OURS,
  ),
  knownWrong: constant(
    0.5,
    'probability',
    'A label with a finding of at least this is known to be wrong: a contradiction to its copies adds nothing.',
    OURS,
  ),
  leastUnion: constant(
    0.0005,
    'share of the picture',
    "Classes with a smaller union count as absent in an image's IoU.",
    OURS,
  ),
});

/** `quarantine.ts`: limits that keep hard or rare images in training. */
export const QUARANTINE = valuesOf({
  always: constant(3, 'images', 'This many of a group may always be set aside: below this a rate tells nothing.', OURS),
  mostOften: constant(
    2,
    "factor of the whole chunk's rate",
    'Largest rate at which images of a group are set aside.',
    OURS,
  ),
});

/** `interior.ts`: pictures of the inside of a car. */
export const INTERIOR = valuesOf({
  labelledBelow: constant(0.01, 'share of the picture', 'Hardly anything is labelled below this.', OURS),
  seenBelow: constant(0.03, 'share of the picture', 'The model sees hardly any part below this.', OURS),
  clarityBelow: constant(
    0.65,
    'mean probability of the prediction over the predicted car',
    'The model is unsure of what it sees below this.',
    {
      kind: 'tuned',
      data: "160 of the demo's interiors and 160 DSMLR photos, judged by one fold trained on DSMLR photos",
      how: '0.60, 0.65, 0.70 and 0.75 were tried: 138, 158, 160 and 160 interiors, and 3, 5, 5 and 12 of the photos without their labels',
    },
  ),
});

/** `auditSample.ts`: images drawn for review. */
export const AUDIT = valuesOf({
  even: constant(
    0.5,
    'share of the sample',
    'Drawn with equal chances for all images; the rest is drawn where the scan is least certain.',
    OURS,
  ),
});

/** `duplicates.ts`: near duplicates whose labels contradict each other. */
export const DUPLICATES = valuesOf({
  seenAlike: constant(
    0.7,
    'Jaccard index of classes',
    'With at least this the model sees nearly the same parts in both.',
    OURS,
  ),
  labelledAlike: constant(
    0.6,
    'Jaccard index of classes',
    'With less than this the labels name different parts.',
    OURS,
  ),
});

/** `findingId.ts`: equality of places. */
export const FINDING_ID = valuesOf({
  grid: constant(8, 'pixels', 'Edges of boxes are rounded to this grid; another grid changes every id.', OURS),
});
