import { z } from 'zod';
import { nameSchema } from '../../base/ids.js';
import { seededRandom } from '../../base/random.js';
import { findingIdSchema } from '../review.js';
import { answeredScanSchema, reviewIdSchema } from '../reviewImport.js';
import { type Claim, stratumSizes } from './bound.js';
import { MOST_ASKED } from './limits.js';

/** Most proposals of a round; of more, those with the highest scores. */
export const MOST_PROPOSALS = 200_000;

const proposalSchema = z.object({
  findingId: findingIdSchema,
  /** The chance, 0..1, that a reviewer would accept it, as far as was known before the draw. */
  score: z.number().min(0).max(1),
});

/** A proposal that may be applied, and the place that its score gives it. */
export type RankedProposal = z.infer<typeof proposalSchema>;

const stratumSchema = z.object({
  /** The finding that reviewers are asked about. */
  drawn: findingIdSchema,
  /** Proposals of neighbouring scores, the drawn one among them. */
  proposals: z.array(proposalSchema).min(1),
});

/**
 * A draw of findings for reviewers: `pools/<pool>/propagate/<scan>/<number>.json`. Everything that decides which
 * corrections follow from the answers is fixed here, before anybody answers.
 */
export const roundSchema = z.object({
  version: z.literal(1),
  id: reviewIdSchema,
  pool: nameSchema,
  scan: answeredScanSchema,
  /** 1 for the first round of a scan. */
  number: z.number().int().min(1).max(9_999),
  at: z.iso.datetime(),
  /** Largest share of harmful corrections. */
  alpha: z.number().gt(0).lt(1),
  /** Confidence that the share is not larger, over all rounds of a scan together. */
  confidence: z.number().gt(0).lt(1),
  /** Least `pModel` of the proposals. */
  from: z.number().min(0).max(1),
  /** Answers that the scores were learned from. */
  taught: z.number().int().nonnegative(),
  /** Drawn by the scan itself. Absent if a person asked for it: then a person applies its corrections, too. */
  unattended: z.literal(true).optional(),
  /** By descending score. */
  strata: z.array(stratumSchema).min(1).max(MOST_ASKED),
});
export type Round = z.infer<typeof roundSchema>;
export type Stratum = z.infer<typeof stratumSchema>;

/** Share of the error probability that the first round of a scan may use; each later one gets half of what is left. */
const FIRST_ROUND = 0.7;

/** The claim that a round tests: all rounds of a scan share one error probability, so asking again costs some of it. */
export function claimOf({ number, alpha, confidence }: Pick<Round, 'number' | 'alpha' | 'confidence'>): Claim {
  const share = number === 1 ? FIRST_ROUND : (1 - FIRST_ROUND) / 2 ** (number - 1);
  return { alpha, delta: (1 - confidence) * share };
}

/**
 * Proposals in strata of neighbouring scores, as many as answers are wanted, with one drawn from each, all of a stratum
 * with the same chance.
 */
export function drawStrata(proposals: readonly RankedProposal[], answers: number, seed: string): Stratum[] {
  const random = seededRandom('propagate', seed);
  const ranked = [...proposals].sort((a, b) => b.score - a.score || (a.findingId < b.findingId ? -1 : 1));
  const kept = ranked.slice(0, MOST_PROPOSALS);
  let at = 0;
  return stratumSizes(kept.length, Math.min(answers, kept.length)).map((size) => {
    const own = kept.slice(at, at + size);
    at += size;
    const drawn = own[Math.floor(random() * size)] as RankedProposal;
    return { drawn: drawn.findingId, proposals: own };
  });
}
