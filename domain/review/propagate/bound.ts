/**
 * A draw of one proposal from each of some strata, and what it tells of those that were not drawn. The drawn ones are
 * random, everything else is fixed: no assumption on scores, or on the dependence of findings of one image, is needed.
 */
export interface DrawnStrata {
  /** Proposals in each stratum, the drawn one included; the most certain stratum first. */
  sizes: readonly number[];
  /** Of each stratum, whether its drawn proposal is harmful. */
  harmful: readonly boolean[];
}

/** The claim to test: at most `alpha` of what is applied is harmful. It is wrong with a chance of at most `delta`. */
export interface Claim {
  alpha: number;
  delta: number;
}

/**
 * Share of the proposals that may drop out between draw and application, such as labels redrawn meanwhile: harmless
 * ones might drop out alone, so the bound is tested for the rest. Convention.
 */
export const MAY_DROP_OUT = 0.05;

/** The smallest set that is tested holds this share of the strata: a smaller one would repair little. Convention. */
const LEAST_SHARE = 0.5;

/**
 * The number of strata, from the most certain one on, whose proposals that were not drawn may be applied; 0 if none.
 *
 * The sets "first j strata" are tested in a fixed order, from the smallest that can pass to the largest, up to the
 * first that fails (fixed sequence testing: Maurer et al. 1995; learn then test: Angelopoulos et al. 2021). The chance
 * that any set with more harmful ones than `alpha` passes is then at most `delta`.
 */
export function passedStrata(strata: DrawnStrata, claim: Claim): number {
  const sets = setsOf(strata.sizes);
  const first = firstTested(strata.sizes, claim);
  if (first === null) return 0;
  let harmful = strata.harmful.slice(0, first - 1).filter(Boolean).length;
  let passed = 0;
  for (let drawn = first; drawn <= strata.sizes.length; drawn++) {
    if (strata.harmful[drawn - 1] !== false) harmful += 1;
    if (!passes(sets, drawn, harmful, claim)) break;
    passed = drawn;
  }
  return passed;
}

/** Least number of drawn proposals of a set that passes if none of them is harmful; null if no set can pass. */
export function firstTested(sizes: readonly number[], claim: Claim): number | null {
  const sets = setsOf(sizes);
  let first: number | null = null;
  const least = Math.max(1, Math.ceil(LEAST_SHARE * sizes.length));
  for (let drawn = sizes.length; drawn >= least && passes(sets, drawn, 0, claim); drawn--) first = drawn;
  return first;
}

/**
 * The least number of answers, none of them harmful, with which a draw from so many proposals passes; null if at most
 * `most` do not suffice.
 */
export function leastAnswers(proposals: number, claim: Claim, most: number): number | null {
  for (let answers = 1; answers <= Math.min(most, proposals - 1); answers++)
    if (firstTested(stratumSizes(proposals, answers), claim) !== null) return answers;
  return null;
}

/** Sizes of `strata` strata of as many proposals as possible each, the larger ones first. */
export function stratumSizes(proposals: number, strata: number): number[] {
  const size = Math.floor(proposals / strata);
  const larger = proposals - size * strata;
  return Array.from({ length: strata }, (_, index) => size + (index < larger ? 1 : 0));
}

interface Sets {
  /** Proposals in the first 1, 2, … strata. */
  counts: readonly number[];
  /** Size of the largest stratum. */
  largest: number;
}

function setsOf(sizes: readonly number[]): Sets {
  let sum = 0;
  let largest = 0;
  const counts = sizes.map((size) => {
    sum += size;
    largest = Math.max(largest, size);
    return sum;
  });
  return { counts, largest };
}

function passes({ counts, largest }: Sets, drawn: number, harmful: number, { alpha, delta }: Claim): boolean {
  const undrawn = (counts[drawn - 1] as number) - drawn;
  const tooMany = Math.floor(alpha * (1 - MAY_DROP_OUT) * undrawn) + 1;
  return chanceOfSoFew(harmful, drawn, largest, tooMany) <= delta;
}

/**
 * The largest chance to draw at most `harmful` harmful proposals, one from each of `strata` strata of at most `size`,
 * if there are `all` harmful ones. It is largest if the strata share them evenly: an even share maximises the lower
 * tail of a sum of independent draws below its mean (Hoeffding 1956), whose condition is checked here.
 */
export function chanceOfSoFew(harmful: number, strata: number, size: number, all: number): number {
  if (all > strata * size) return 0;
  if (harmful > 0 && harmful > all / size - 3) return 1;
  const each = Math.floor(all / strata);
  const more = all - each * strata;
  const few = binomial(strata - more, each / size, harmful);
  const many = binomial(more, (each + 1) / size, harmful);
  let chance = 0;
  for (let one = 0; one <= harmful; one++)
    for (let other = 0; other <= harmful - one; other++) chance += (few[one] as number) * (many[other] as number);
  return Math.min(1, chance);
}

/** Chances of 0, 1, … `most` successes in `trials` trials. */
function binomial(trials: number, p: number, most: number): number[] {
  const chances = new Array<number>(most + 1).fill(0);
  if (p <= 0 || trials === 0) chances[0] = 1;
  else if (p >= 1) {
    if (trials <= most) chances[trials] = 1;
  } else {
    let log = trials * Math.log1p(-p);
    for (let count = 0; count <= Math.min(most, trials); count++) {
      chances[count] = Math.exp(log);
      log += Math.log((trials - count) / (count + 1)) + Math.log(p) - Math.log1p(-p);
    }
  }
  return chances;
}
