import type { EvaluationRow } from '../domain/tables.js';
import { labelNames, type Taxonomy } from '../domain/taxonomy.js';

/** Pixels of one class that the model takes for another. */
export interface Confusion {
  given: string;
  predicted: string;
  pixels: number;
  /** Of the pixels of the given class. */
  share: number;
  /** The same of the benchmark; null without one, or if it sees no such pixel. */
  benchmarkShare: number | null;
}

type Counted = Pick<EvaluationRow, 'confusion'>;

const LABELS = 256;

/** The confusions with the most pixels over the test set, the largest first. */
export function confusedPairs(
  rows: readonly Counted[],
  benchmark: readonly Counted[] | null,
  taxonomy: Taxonomy,
  most: number,
): Confusion[] {
  const names = labelNames(taxonomy);
  const mine = sumPairs(rows);
  const theirs = benchmark === null ? null : sumPairs(benchmark);
  return [...mine.pairs]
    .filter(([pair]) => Math.floor(pair / LABELS) !== pair % LABELS)
    .sort(([a, n], [b, m]) => m - n || a - b)
    .slice(0, most)
    .map(([pair, pixels]) => {
      const [given, predicted] = [Math.floor(pair / LABELS), pair % LABELS];
      const ofGiven = theirs?.given.get(given) ?? 0;
      return {
        given: names[given] ?? String(given),
        predicted: names[predicted] ?? String(predicted),
        pixels,
        share: pixels / (mine.given.get(given) ?? pixels),
        benchmarkShare: ofGiven === 0 ? null : (theirs?.pairs.get(pair) ?? 0) / ofGiven,
      };
    });
}

function sumPairs(rows: readonly Counted[]): { pairs: Map<number, number>; given: Map<number, number> } {
  const pairs = new Map<number, number>();
  const given = new Map<number, number>();
  for (const { confusion } of rows) {
    for (let at = 0; at + 2 < confusion.length; at += 3) {
      const [label, predicted, pixels] = confusion.slice(at, at + 3) as [number, number, number];
      pairs.set(label * LABELS + predicted, (pairs.get(label * LABELS + predicted) ?? 0) + pixels);
      given.set(label, (given.get(label) ?? 0) + pixels);
    }
  }
  return { pairs, given };
}
