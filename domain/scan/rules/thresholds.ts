import { constant, OURS, RENDERED, valuesOf } from '../constants.js';

// Thresholds of the rules. What a car looks like stands in the taxonomy; here stands how far it has to be off.

/** `counts.ts`: instances and areas. */
export const COUNTS = valuesOf({
  pieceShare: constant(0.35, 'share of the largest piece', 'A piece of this size counts as an instance.', RENDERED),
  sizeSlack: constant(1.5, 'factor', "An area may be so far from its class's range.", RENDERED),
  sizeFar: constant(8, 'factor', 'From here on an area is as odd as can be.', OURS),
});

/** `neighbours.ts`: parts that touch hardly any neighbour of theirs. */
export const NEIGHBOURS = valuesOf({
  touching: constant(
    0.25,
    "share of the piece's rim",
    'So much has to touch other parts before they say anything.',
    RENDERED,
  ),
  neighbours: constant(
    0.1,
    'share of what touches the piece',
    'A piece is out of place if no more than this are neighbours of its class.',
    RENDERED,
  ),
});

/** `sides.ts`: parts on the other side of the car. */
export const SIDES = valuesOf({
  leastPieces: constant(2, 'further pieces a side', 'So many say which way round the car stands.', RENDERED),
  leastSpan: constant(1, 'pixels', 'The sides have to lie so far apart.', OURS),
  beyond: constant(1, 'distances between the sides', 'A piece breaks the rule if it lies further than this.', RENDERED),
  farBeyond: constant(2, 'distances between the sides', 'From here on the break is as plain as can be.', OURS),
});

/** `views.ts`: parts that the view hides. */
export const VIEWS = valuesOf({
  angleSlack: constant(15, 'degrees', 'An angle tag may be so far off before a part counts as invisible.', {
    kind: 'convention',
    whose: 'ours: the angles that tags can have lie 15 degrees apart',
  }),
  angleFar: constant(90, 'degrees', 'So far off, the break is as plain as can be.', OURS),
  flankGain: constant(0.5, 'gain', 'How plain the break of a flank is that the orientation hides.', OURS),
});
