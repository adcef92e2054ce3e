import type { FindingKind } from '../../tables.js';
import { constant, INJECTED, OURS, valuesOf } from '../constants.js';

// Which errors are injected into copies of the labels, and how large they are. None of them are sizes of `demo/spoil`:
// what is measured on planted errors must not have been learned from the same ones.

/**
 * `inject.ts`: how often each kind is injected. How often each occurs is estimated from the scan itself, so that these
 * shares carry no expectation.
 */
const KINDS: readonly (readonly [FindingKind, number])[] = [
  ['missing_part', 0.3],
  ['wrong_class', 0.16],
  ['swapped', 0.12],
  ['mirrored', 0.1],
  ['shifted', 0.1],
  ['bad_outline', 0.16],
  ['merged_or_split', 0.03],
  ['extra_part', 0.03],
];

/** `inject.ts`: errors of single parts. */
export const INJECTION = valuesOf({
  kinds: constant(KINDS, 'share of the copies', 'How often each kind is injected.', INJECTED),
  partShifts: constant(0.3, 'share of the shifted', 'How often one part alone is displaced.', INJECTED),
  wandering: constant(0.15, 'share of the bad outlines', 'How often outlines wander in and out.', INJECTED),
  polygons: constant(
    0.45,
    'share of the bad outlines',
    'How often parts become polygons of few corners; the rest is drawn too wide.',
    INJECTED,
  ),
  most: constant(4, 'errors a label', 'No copy has more errors.', INJECTED),
  again: constant(0.45, 'chance', 'The chance of one more error in the same label.', INJECTED),
  leastShift: constant(
    0.25,
    "share of the part's box",
    'A part is displaced at least so far along each axis.',
    INJECTED,
  ),
  moreShift: constant(0.35, "share of the part's box", 'It is displaced up to so much further.', INJECTED),
  extraApart: constant(2.5, 'factor', 'A copy of a part lies so much further away than a displaced one.', INJECTED),
});

/** `injectWhole.ts`: errors of the whole label. */
export const WHOLE_INJECTION = valuesOf({
  leastShift: constant(0.03, 'share of the longer side', 'A label is displaced at least so far.', INJECTED),
  moreShift: constant(0.11, 'share of the longer side', 'It is displaced up to so much further.', INJECTED),
  wavesPerAxis: constant(3, 'waves', 'Waves whose sum moves outlines along one axis.', OURS),
  waveTurns: constant(14, 'turns a side', 'Twice the highest frequency of a wave.', INJECTED),
  leastWander: constant(0.008, 'share of the longer side', 'Outlines wander at least so far.', INJECTED),
  moreWander: constant(0.022, 'share of the longer side', 'They wander up to so much further.', INJECTED),
  orderLeast: constant(
    0.25,
    'factor of the area',
    'With a random 0 to 1 added, it says which part lies on top; small ones mostly do.',
    INJECTED,
  ),
  leastGrown: constant(0.004, 'share of the longer side', 'A part drawn too wide grows at least so far.', INJECTED),
  moreGrown: constant(0.02, 'share of the longer side', 'It grows up to so much further.', INJECTED),
  fewestCorners: constant(4, 'corners', 'A hasty polygon has at least so many.', INJECTED),
  mostCorners: constant(8, 'corners', 'A hasty polygon has at most so many.', INJECTED),
  leastWide: constant(0.002, 'share of the longer side', 'A hasty polygon is at least so much too wide.', INJECTED),
  moreWide: constant(0.018, 'share of the longer side', 'It is up to so much wider still.', INJECTED),
  firstTolerance: constant(0.5, 'pixels', 'Corners are left out with this tolerance first.', OURS),
  lastTolerance: constant(256, 'pixels', 'Corners are left out with no larger tolerance.', OURS),
  toleranceStep: constant(1.3, 'factor', 'Each further tolerance is so much larger.', OURS),
});
