import { constant, OURS, valuesOf } from '../constants.js';

/** `reduce.ts`: what is written down. */
export const REPORTED = valuesOf({
  findingAt: constant(
    0.2,
    'probability',
    'Candidates less probable to be errors of their own are not written down.',
    OURS,
  ),
  knownWrong: constant(
    0.5,
    'probability',
    'A label with such a finding is known to be wrong: that it contradicts its copies is no news.',
    OURS,
  ),
  leastUnion: constant(
    0.0005,
    'share of the picture',
    "Classes with a smaller union count as absent in an image's IoU.",
    OURS,
  ),
});

/** `quarantine.ts`: what keeps hard or rare images in training. */
export const QUARANTINE = valuesOf({
  always: constant(3, 'images', 'So many of a group may always be set aside: below this a rate says nothing.', OURS),
  mostOften: constant(2, "factor of the whole chunk's rate", 'No group is set aside more often.', OURS),
});

/** `auditSample.ts`: what is drawn for review. */
export const AUDIT = valuesOf({
  even: constant(
    0.5,
    'share of the sample',
    'Every image has the same chance of it; the rest goes where the scan is least sure.',
    OURS,
  ),
});

/** `duplicates.ts`: near duplicates whose labels contradict each other. */
export const DUPLICATES = valuesOf({
  seenAlike: constant(
    0.7,
    'Jaccard index of classes',
    'The model sees nearly the same parts in both from here on.',
    OURS,
  ),
  labelledAlike: constant(0.6, 'Jaccard index of classes', 'Labels name different parts below this.', OURS),
});

/** `findingId.ts`: places that count as the same. */
export const FINDING_ID = valuesOf({
  grid: constant(8, 'pixels', 'Edges of boxes are rounded to this grid; another one changes every id.', OURS),
});
