import type { FindingKind } from '../../tables.js';
import { constant, INJECTED, OURS, valuesOf } from '../constants.js';

// The errors that are injected into copies of the labels, and their sizes. None is a size of `demo/spoil`: detection
// that is measured on planted errors must not have been learned from the same errors.

/**
 * `inject.ts`: the share of each kind among injections. The scan itself estimates how often each kind occurs, so these
 * shares are no expectation.
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
  kinds: constant(KINDS, 'share of the copies', 'Share of each kind among injections.', INJECTED),
  partShifts: constant(0.3, 'share of the displacements', 'A single part is displaced this often.', INJECTED),
  wandering: constant(0.15, 'share of the bad outlines', 'Outlines wander in and out this often.', INJECTED),
  polygons: constant(
    0.45,
    'share of the bad outlines',
    'Parts become polygons of few corners this often; the rest are drawn too wide.',
    INJECTED,
  ),
  most: constant(4, 'errors per label', 'Largest number of errors in a copy.', INJECTED),
  again: constant(0.45, 'chance', 'Chance of one more error in the same label.', INJECTED),
  leastShift: constant(0.25, "share of the part's box", 'Smallest displacement of a part along each axis.', INJECTED),
  moreShift: constant(0.35, "share of the part's box", 'Largest addition to the smallest displacement.', INJECTED),
  extraApart: constant(2.5, 'factor', 'A copy of a part is this much further away than a displaced part.', INJECTED),
});

/** `injectWhole.ts`: errors of the whole label. */
export const WHOLE_INJECTION = valuesOf({
  leastShift: constant(0.03, 'share of the longer side', 'Smallest displacement of a label.', INJECTED),
  moreShift: constant(0.11, 'share of the longer side', 'Largest addition to the smallest displacement.', INJECTED),
  wavesPerAxis: constant(3, 'waves', 'Number of waves whose sum moves outlines along one axis.', OURS),
  waveTurns: constant(14, 'turns per side', 'Twice the highest frequency of a wave.', INJECTED),
  leastWander: constant(0.008, 'share of the longer side', 'Smallest amplitude of a wandering outline.', INJECTED),
  moreWander: constant(0.022, 'share of the longer side', 'Largest addition to that amplitude.', INJECTED),
  orderLeast: constant(
    0.25,
    'factor of the area',
    'This times the area, plus a random number of 0 to 1, orders the parts; small parts are mostly on top.',
    INJECTED,
  ),
  leastGrown: constant(
    0.004,
    'share of the longer side',
    'Smallest growth of a part that is drawn too wide.',
    INJECTED,
  ),
  moreGrown: constant(0.02, 'share of the longer side', 'Largest addition to that growth.', INJECTED),
  fewestCorners: constant(4, 'corners', 'Fewest corners of a hasty polygon.', INJECTED),
  mostCorners: constant(8, 'corners', 'Most corners of a hasty polygon.', INJECTED),
  leastWide: constant(0.002, 'share of the longer side', 'A hasty polygon is at least this much too wide.', INJECTED),
  moreWide: constant(0.018, 'share of the longer side', 'Largest addition to that width.', INJECTED),
  firstTolerance: constant(0.5, 'pixels', 'First tolerance with which corners are left out.', OURS),
  lastTolerance: constant(256, 'pixels', 'Largest tolerance with which corners are left out.', OURS),
  toleranceStep: constant(1.3, 'factor', 'Each further tolerance is larger by this factor.', OURS),
});
