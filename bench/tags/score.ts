import type { Tags } from '../../domain/tags.js';

/** The tags that a scan infers from a prediction alone. */
export const INFERRED = ['angle', 'orientation', 'zoomed'] as const;
export type InferredTag = (typeof INFERRED)[number];

/** One image: what is true of it, and what was inferred. */
export interface TagCase {
  truth: Tags;
  inferred: Partial<Tags>;
}

/** A statement about a tag that is inferred rightly or wrongly. */
export interface TagScore {
  tag: InferredTag;
  /** What counts as right, for people. */
  right: string;
  /** Images whose true value is known and that the statement is about. */
  images: number;
  /** Share of them for which a value is inferred. */
  inferred: number;
  /** Share of the inferred values that are right, with Wilson's 95 % interval. */
  accuracy: number;
  low: number;
  high: number;
  /** The share that the best constant value gets. */
  baseline: number;
}

/** An angle of a view is given in steps of so many degrees. */
const STEP = 15;
/** Of the normal distribution, for 95 %. */
const DEVIATIONS = 1.96;

type Value = NonNullable<Tags[InferredTag]>;
interface Statement {
  tag: InferredTag;
  right: string;
  isRight(inferred: Value, truth: Value): boolean;
  /** The images that it is about; all if omitted. */
  about?(truth: Value): boolean;
}

const equal = (inferred: Value, truth: Value): boolean => inferred === truth;
const STATEMENTS: readonly Statement[] = [
  { tag: 'angle', right: 'exact', isRight: equal },
  {
    tag: 'angle',
    right: `within ${STEP} degrees`,
    isRight: (a, b) => Math.abs(Number(a) - Number(b)) <= STEP,
  },
  {
    tag: 'angle',
    right: 'front, side or back',
    isRight: (a, b) => Math.sign(Number(a) - 90) === Math.sign(Number(b) - 90),
  },
  { tag: 'orientation', right: 'exact', isRight: equal },
  {
    tag: 'orientation',
    right: 'not the other side',
    isRight: (a, b) => a === b || a === 'none' || b === 'none',
    about: (truth) => truth !== 'none',
  },
  { tag: 'zoomed', right: 'exact', isRight: equal },
  { tag: 'zoomed', right: 'of zoomed pictures', isRight: equal, about: (truth) => truth === true },
  { tag: 'zoomed', right: 'of whole cars', isRight: equal, about: (truth) => truth === false },
];

/** How well tags are inferred, statement by statement. */
export function scoreTags(cases: readonly TagCase[]): TagScore[] {
  return STATEMENTS.map(({ tag, right, isRight, about = () => true }) => {
    const known = cases.flatMap(({ truth, inferred }) => {
      const value = truth[tag];
      return value !== null && about(value) ? [{ truth: value, inferred: inferred[tag] ?? null }] : [];
    });
    const told = known.flatMap(({ truth, inferred }) => (inferred === null ? [] : [isRight(inferred, truth)]));
    const rightOnes = told.filter(Boolean).length;
    const constants = [...new Set(known.map(({ truth }) => truth))].map(
      (value) => known.filter(({ truth }) => isRight(value, truth)).length,
    );
    return {
      ...{ tag, right, images: known.length, inferred: told.length / Math.max(1, known.length) },
      ...wilson(rightOnes, told.length),
      baseline: Math.max(0, ...constants) / Math.max(1, known.length),
    };
  });
}

/** A share with Wilson's interval (1927); all that is possible if there is nothing to count. */
export function wilson(right: number, of: number): { accuracy: number; low: number; high: number } {
  if (of === 0) return { accuracy: Number.NaN, low: 0, high: 1 };
  const accuracy = right / of;
  const z2 = DEVIATIONS ** 2;
  const centre = (accuracy + z2 / (2 * of)) / (1 + z2 / of);
  const half = (DEVIATIONS * Math.sqrt((accuracy * (1 - accuracy)) / of + z2 / (4 * of * of))) / (1 + z2 / of);
  return { accuracy, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Inferred less true angle over the cases, by true angle: a bias shows as a mean away from 0. */
export function angleErrors(cases: readonly TagCase[]): { angle: number; images: number; mean: number }[] {
  const errors = new Map<number, number[]>();
  for (const { truth, inferred } of cases) {
    if (truth.angle === null || inferred.angle === undefined || inferred.angle === null) continue;
    const own = errors.get(truth.angle) ?? [];
    errors.set(truth.angle, own);
    own.push(inferred.angle - truth.angle);
  }
  return [...errors]
    .sort(([a], [b]) => a - b)
    .map(([angle, own]) => ({
      ...{ angle, images: own.length },
      mean: own.reduce((sum, error) => sum + error, 0) / own.length,
    }));
}
