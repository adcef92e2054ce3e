// Changes of `loopIteration`; older histories replay without them.

/** Before, iterations did not report holds to their loop, and failed if no image was new. */
export const TELLS_THE_LOOP = 'iteration-tells-the-loop';

/** Before, a step that a fault ended while a pause cancelled it did not hold. */
export const HOLDS_OVER_FAULTS = 'holds-over-faults';

/** Before, no iteration trained a control. Asked only where `sample.controlArm` is on. */
export const HAS_CONTROL = 'iteration-has-control';
