// Changes of `trainingLoop` that histories from before them replay without.

/**
 * Histories from before the loop looked again at what it cannot see by itself: the store after every iteration, the
 * pool's version while it waits for images, runs that a reset began, and an iteration that holds.
 */
export const LOOKS_AGAIN = 'loop-looks-again';

/**
 * Before, a loop looked every ten minutes whether an iteration that it had not started itself still ran, and did as
 * many iterations as were asked for beside it.
 */
export const WAITS_FOR_THE_END = 'loop-waits-for-the-end';

/** Before, a request that arrived while the loop looked whether its pool had grown was answered, and then forgotten. */
export const KEEPS_REQUESTS = 'loop-keeps-requests';
