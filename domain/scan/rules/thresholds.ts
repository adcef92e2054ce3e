import { constant, OURS, RENDERED, valuesOf } from '../constants.js';

// Thresholds of the rules. The taxonomy tells what a car looks like; these tell how large a deviation breaks a rule.

/** `counts.ts`: instances and areas. */
export const COUNTS = valuesOf({
  pieceShare: constant(
    0.35,
    'share of the largest piece',
    'A piece of at least this size counts as an instance.',
    RENDERED,
  ),
  sizeSlack: constant(1.5, 'factor', 'An area may be this far outside the range of its class.', RENDERED),
  sizeFar: constant(8, 'factor', 'An area at least this far outside is as odd as possible.', OURS),
});

/** `neighbours.ts`: parts that touch hardly any of their neighbours. */
export const NEIGHBOURS = valuesOf({
  touching: constant(
    0.25,
    "share of the piece's rim",
    'The rule needs at least this contact with other parts.',
    RENDERED,
  ),
  neighbours: constant(
    0.1,
    'share of what touches the piece',
    'A piece is out of place if at most this share belongs to neighbours of its class.',
    RENDERED,
  ),
});

/** `sides.ts`: parts on the other side of the car. */
export const SIDES = valuesOf({
  leastPieces: constant(
    2,
    'further pieces per side',
    'At least this many tell which way round the car stands.',
    RENDERED,
  ),
  leastSpan: constant(1, 'pixels', 'The sides must be at least this far apart.', OURS),
  beyond: constant(
    1,
    'distances between the sides',
    'A piece breaks the rule if it is further away than this.',
    RENDERED,
  ),
  farBeyond: constant(2, 'distances between the sides', 'At this distance the break is as clear as possible.', OURS),
});

/** `views.ts`: parts that the view hides. */
export const VIEWS = valuesOf({
  angleSlack: constant(15, 'degrees', 'An angle tag may be this far off before a part counts as invisible.', {
    kind: 'convention',
    whose: 'ours: the possible angles of tags are 15 degrees apart',
  }),
  angleFar: constant(90, 'degrees', 'At this deviation the break is as clear as possible.', OURS),
  flankGain: constant(0.5, 'gain', 'Strength of the break if the orientation hides a flank.', OURS),
});
