// Changes of `loopIteration` that histories from before them replay without.

/** Before, iterations did not tell their loop that they hold, and failed where no image was new. */
export const TELLS_THE_LOOP = 'iteration-tells-the-loop';

/** Before, a step that a fault ended while a pause cancelled it was not held. */
export const HOLDS_OVER_FAULTS = 'holds-over-faults';
