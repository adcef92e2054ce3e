import type { Cell } from '../cells.js';
import type { NeedCandidate, NeedImage } from './need.js';

/** The training set in numbers, so that a large one is gone through once. */
export interface Trained {
  images: number;
  /** Images by cell. */
  cells: ReadonlyMap<string, { cell: Cell; images: number }>;
  /** Images by label value. */
  labels: ReadonlyMap<number, number>;
  /** The images of each focus, by its place. */
  focuses: readonly Pick<Trained, 'images' | 'cells' | 'labels'>[];
}

export function countTrained(trainingSet: Iterable<NeedImage>, focuses: number): Trained {
  const all = new Count();
  const ofFocus = Array.from({ length: focuses }, () => new Count());
  for (const image of trainingSet) {
    all.add(image);
    for (const at of image.focuses) ofFocus[at]?.add(image);
  }
  return { ...all.counted(), focuses: ofFocus.map((count) => count.counted()) };
}

class Count {
  #images = 0;
  /** Images by their cells, which images that are alike share. */
  readonly #alike = new Map<readonly Cell[], number>();
  readonly #labels = new Map<number, number>();

  add({ cells, classes }: NeedImage): void {
    this.#images++;
    this.#alike.set(cells, (this.#alike.get(cells) ?? 0) + 1);
    for (const label of classes) this.#labels.set(label, (this.#labels.get(label) ?? 0) + 1);
  }

  counted(): Pick<Trained, 'images' | 'cells' | 'labels'> {
    const cells = new Map<string, { cell: Cell; images: number }>();
    for (const [own, images] of this.#alike)
      for (const cell of own) {
        const known = cells.get(cell.key);
        if (known === undefined) cells.set(cell.key, { cell, images });
        else known.images += images;
      }
    return { images: this.#images, cells, labels: this.#labels };
  }
}

/** The candidates in numbers, for reasons. */
export interface Offered {
  images: number;
  cells: ReadonlyMap<string, { images: number; judged: number; iouSum: number }>;
  /** Images by label value. */
  labels: ReadonlyMap<number, number>;
}

export function countOffered(candidates: readonly NeedCandidate[]): Offered {
  const cells = new Map<string, { images: number; judged: number; iouSum: number }>();
  const labels = new Map<number, number>();
  for (const { cells: own, classes, labelIou } of candidates) {
    for (const { key } of own) {
      const entry = cells.get(key) ?? { images: 0, judged: 0, iouSum: 0 };
      cells.set(key, entry);
      entry.images++;
      if (labelIou === null) continue;
      entry.judged++;
      entry.iouSum += labelIou;
    }
    for (const label of classes) labels.set(label, (labels.get(label) ?? 0) + 1);
  }
  return { images: candidates.length, cells, labels };
}
