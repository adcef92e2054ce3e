// Changes of `trainingLoop`; older histories replay without them.

/**
 * Before, the loop did not look again at state that it cannot see by itself: the store after every iteration, the
 * pool's version while it waits for images, runs that a reset began, and an iteration that holds.
 */
export const LOOKS_AGAIN = 'loop-looks-again';

/**
 * Before, a loop checked every ten minutes whether an iteration that it had not started still ran, and did the
 * requested number of iterations in addition.
 */
export const WAITS_FOR_THE_END = 'loop-waits-for-the-end';

/** Before, a request that arrived while the loop checked its pool for new images was answered and then forgotten. */
export const KEEPS_REQUESTS = 'loop-keeps-requests';

/** Before, settings that arrived before the loop had read the store were taken without a look at its own. */
export const SETS_ONCE_READ = 'loop-sets-once-read';
