import type { SentDrop } from '../ledger.js';
import {
  counted,
  growing,
  halves,
  lateMarker,
  mended,
  neverMarked,
  otherName,
  removal,
  sameAgain,
} from './arrivals.js';
import {
  brokenPictures,
  danglingIds,
  neverWhole,
  otherSize,
  pathTricks,
  strays,
  testCopies,
  unknownClass,
} from './bad.js';
import type { Make } from './making.js';

/** The drops that are out of the ordinary, the most telling first. */
export const SPECIAL: readonly { format: SentDrop['format']; make: Make }[] = [
  { format: 'masks', make: brokenPictures },
  { format: 'coco', make: halves },
  { format: 'masks', make: sameAgain },
  { format: 'masks', make: testCopies },
  { format: 'coco', make: mended },
  { format: 'masks', make: growing },
  { format: 'coco', make: removal },
  { format: 'coco', make: otherName },
  { format: 'masks', make: otherSize },
  { format: 'coco', make: danglingIds },
  { format: 'coco', make: pathTricks },
  { format: 'masks', make: counted },
  { format: 'masks', make: neverMarked },
  { format: 'coco', make: unknownClass },
  { format: 'coco', make: lateMarker },
  { format: 'masks', make: strays },
  { format: 'masks', make: neverWhole },
  { format: 'masks', make: pathTricks },
  { format: 'coco', make: brokenPictures },
  { format: 'masks', make: halves },
  { format: 'masks', make: removal },
  { format: 'coco', make: growing },
  { format: 'masks', make: unknownClass },
  { format: 'coco', make: otherSize },
  { format: 'coco', make: sameAgain },
];
