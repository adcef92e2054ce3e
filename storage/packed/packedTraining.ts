import { ID_WORDS, ImageIds, wordsOf } from '../../domain/draw/imageIds.js';
import type { TrainingSet } from '../../domain/sample/trainingSet.js';
import type { TrainingRow } from '../../domain/tables.js';
import { GrowingNumbers } from './growing.js';
import { ImageTable } from './imageTable.js';
import { PackedRows } from './packedRows.js';

/** A training set in about a third of a kilobyte per image. A row comes out equal to what went in, as a new object. */
export class PackedTraining implements TrainingSet {
  readonly #rows = new PackedRows();
  readonly #clusters = new GrowingNumbers();
  readonly #pickedIn = new GrowingNumbers();
  readonly #numbers = new ImageTable((row) => this.#rows.idWords(row));
  readonly #replaced = new Map<number, TrainingRow>();

  get count(): number {
    return this.#rows.count;
  }

  push(row: TrainingRow): void {
    for (const word of wordsOf(row.cluster)) this.#clusters.push(word);
    this.#pickedIn.push(row.pickedIn);
    this.#numbers.set(this.#rows.push(row));
  }

  has(imageId: string): boolean {
    return this.#numbers.get(imageId) !== undefined;
  }

  /** Put a row in place of that of the same image, which keeps its place; nothing for an image that is not there. */
  replace(row: TrainingRow): void {
    const number = this.#numbers.get(row.imageId);
    if (number !== undefined) this.#replaced.set(number, row);
  }

  *[Symbol.iterator](): Generator<TrainingRow> {
    for (let number = 0; number < this.count; number++) yield this.#replaced.get(number) ?? this.#at(number);
  }

  #at(number: number): TrainingRow {
    const cluster = new ImageIds(this.#clusters.view(number * ID_WORDS, ID_WORDS)).at(0);
    return { ...this.#rows.at(number), cluster, pickedIn: this.#pickedIn.at(number) };
  }
}
