import { constant, OURS, type Source, valuesOf } from '../../scan/constants.js';

const SIMULATED: Source = {
  kind: 'tuned',
  data: 'made-up populations of `npm run bench -- certify`, other seeds than those of the results',
  how: 'by hand, with an eye on the width of the bound',
};

/** `bets.ts`: the bets that a certificate spreads its capital over. They decide its width, never its validity. */
export const BETS = valuesOf({
  rates: constant(
    [0.01, 0.04, 0.1, 0.2, 0.35, 0.55],
    'shares of wrong labels',
    'Guessed shares; a true one between two of them costs little.',
    SIMULATED,
  ),
  slopes: constant([0, 1], 'factors of log odds', 'Trust in the probabilities: none, or as claimed.', SIMULATED),
  strengths: constant(
    [0.06, 0.1, 0.16, 0.25, 0.4, 0.6, 0.8, 0.95, 1.3, 1.8, 2.5, 4],
    "parts of an image's least chance",
    'Gains per wrong label among which each bet takes the best for its guess.',
    SIMULATED,
  ),
  boldest: constant(0.24, 'chance', 'A chance above this makes no bet bolder: most images are drawn anyway.', OURS),
  planned: constant(150, 'images', 'So many stand for the population while a bet is chosen.', OURS),
  leastProbability: constant(0.001, 'probability', 'Probabilities count as no surer than this.', OURS),
});
