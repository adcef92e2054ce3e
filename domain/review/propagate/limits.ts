/** Most answers that a round asks for. */
export const MOST_ASKED = 10_000;
/** Largest share of harmful corrections, if none is given. Convention. */
export const ALPHA = 0.1;
/** Least probability of the proposals, if none is given. Convention. */
export const FROM = 0.5;
