import { shuffle } from '../../base/random.js';
import { round6 } from '../../base/round.js';
import type { Focus } from '../focus.js';
import { countOffered, countTrained, type Trained } from './counts.js';
import type { NeedCandidate, NeedImage } from './need.js';
import type { Rated, SamplePolicy } from './policy.js';
import { coverReason, type Property, withFocus } from './reasons.js';

/** Each pass takes the images whose gain reaches a bar; the next bar is lower by this factor. */
const BAR_FACTOR = 0.98;
/** Reasons name so many of the rarest properties of an image. */
const NAMED = 2;

/**
 * Greedy coverage: each pick adds most to the sum of log(1 + n) over all properties, where n counts the images of the
 * training set and the picks that have the property. Properties are tags, pairs of tags and labelled parts; an image
 * counts by 1 - P(wrong). The sum is monotone and submodular in the images, so that a greedy choice gets at least 63 %
 * of the best one (Nemhauser, Wolsey and Fisher 1978); passes with a falling bar come within 2 % of greedy at the cost
 * of a few looks at each image (Badanidiyuru and Vondrák 2014).
 *
 * A focus with factor f adds f - 1 times the same sum over its own images alone. So the first image of a focus adds f
 * times as much, and the whole sum, with weights of at least 0, stays monotone and submodular.
 */
export const byCover: SamplePolicy = (request) => {
  const { candidates, reserve, count, alone, focuses, classNames } = request;
  const trained = countTrained(request.training, focuses.length);
  const properties = propertiesOf(candidates, trained, focuses);
  const known = { offered: countOffered(candidates), trained, focuses, classNames };
  const order = shuffle([...candidates.keys()], request.random('order'));
  const reserved = order.filter((index) => reserve.has((candidates[index] as NeedCandidate).imageId));
  const free = order.filter((index) => !reserve.has((candidates[index] as NeedCandidate).imageId));

  const covered = properties.start();
  for (const index of reserved) covered.add(index);
  const gains = cover(covered, free, count);
  const unreserved = reserved.length === 0 ? gains : cover(properties.start(), order, Math.ceil(alone));
  const sure = [...unreserved.keys()];
  const chance = new Map(sure.map((index, place) => [index, Math.min(1, alone - place)]));

  return {
    picked: [...gains.keys()].map((index) => (candidates[index] as NeedCandidate).imageId),
    rated: candidates.map(
      ({ imageId, hardness, pMislabelled, ...image }, index): Rated => ({
        imageId,
        probability: chance.get(index) ?? 0,
        why: () => withFocus(coverReason(properties.rarest(index), known), image, known),
        need: round6(gains.get(index) ?? covered.gain(index)),
        tagNeed: 0,
        hardness: round6((hardness ?? 0) * (1 - pMislabelled)),
        rarity: 1,
      }),
    ),
  };
};

/** What is covered so far. */
interface Covered {
  /** What the candidate at `index` would add. */
  gain(index: number): number;
  add(index: number): void;
}

interface Properties {
  /** Coverage by the training set alone. */
  start(): Covered;
  /** The properties of a candidate that the training set and the candidates have least often. */
  rarest(index: number): Property[];
}

/** Properties of candidates as numbers, with how often the training set has them. */
function propertiesOf(candidates: readonly NeedCandidate[], counted: Trained, focuses: readonly Focus[]): Properties {
  const { known, numberOf } = numbering();
  const basic = candidates.map((candidate) => propertiesOfImage(candidate));
  const own = candidates.map((candidate, index) => {
    const properties = basic[index] as Property[];
    const ofFocuses = candidate.focuses.flatMap((focus) => properties.map((property) => ({ ...property, focus })));
    return Uint32Array.from([...properties, ...ofFocuses], numberOf);
  });
  const weights = Float64Array.from(known, ({ focus }) =>
    focus === undefined ? 1 : (focuses[focus]?.factor ?? 1) - 1,
  );
  const trusts = candidates.map(({ pMislabelled }) => 1 - pMislabelled);
  const trained = Float64Array.from(known, (property) => {
    const { cells, labels } = property.focus === undefined ? counted : (counted.focuses[property.focus] ?? counted);
    return ('cell' in property ? cells.get(property.cell.key)?.images : labels.get(property.label)) ?? 0;
  });
  const all = Float64Array.from(trained);
  for (const properties of own) for (const number of properties) all[number] = (all[number] as number) + 1;
  return {
    start() {
      const counts = Float64Array.from(trained);
      return {
        gain(index) {
          const trust = trusts[index] as number;
          let sum = 0;
          for (const number of own[index] as Uint32Array)
            sum += (weights[number] as number) * Math.log1p(trust / (1 + (counts[number] as number)));
          return sum;
        },
        add(index) {
          for (const number of own[index] as Uint32Array)
            counts[number] = (counts[number] as number) + (trusts[index] as number);
        },
      };
    },
    rarest: (index) =>
      [...(own[index] as Uint32Array).subarray(0, basic[index]?.length)]
        .sort((a, b) => (all[a] as number) - (all[b] as number) || a - b)
        .slice(0, NAMED)
        .map((number) => known[number] as Property),
  };
}

/** Numbers for properties, in order of first use. */
function numbering(): { known: Property[]; numberOf(property: Property): number } {
  const numbers = new Map<string | number, number>();
  const known: Property[] = [];
  return {
    known,
    numberOf(property) {
      const key = 'cell' in property ? property.cell.key : property.label;
      const whole = property.focus === undefined ? key : `${property.focus} ${key}`;
      const there = numbers.get(whole);
      if (there !== undefined) return there;
      numbers.set(whole, known.length);
      return known.push(property) - 1;
    },
  };
}

/** Margins and pairs of an image, and its labelled parts. */
function propertiesOfImage({ cells, classes }: NeedImage): Property[] {
  const tags = cells.filter(({ dimension }) => dimension !== 'part').map((cell) => ({ cell }));
  return [...tags, ...classes.filter((label) => label > 0).map((label) => ({ label }))];
}

/** Up to `count` of the candidates in `order`, in order of choice, each with what it added. */
function cover(covered: Covered, order: readonly number[], count: number): Map<number, number> {
  const picked = new Map<number, number>();
  let left = Uint32Array.from(order);
  // A gain never grows while others are picked: one that was below the bar need not be worked out again above it.
  let bounds = Float64Array.from(order, (index) => covered.gain(index));
  let bar = bounds.reduce((most, gain) => Math.max(most, gain), 0);
  while (picked.size < count && left.length > 0) {
    let kept = 0;
    let largest = 0;
    for (let at = 0; at < left.length; at++) {
      const index = left[at] as number;
      let bound = bounds[at] as number;
      if (bound >= bar && picked.size < count) {
        bound = covered.gain(index);
        if (bound >= bar) {
          covered.add(index);
          picked.set(index, bound);
          continue;
        }
      }
      left[kept] = index;
      bounds[kept++] = bound;
      largest = Math.max(largest, bound);
    }
    left = left.subarray(0, kept);
    bounds = bounds.subarray(0, kept);
    bar = Math.min(bar * BAR_FACTOR, largest);
  }
  return picked;
}
