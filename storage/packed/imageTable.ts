import { ID_WORDS, wordsOf } from '../../domain/draw/imageIds.js';

const FIRST_PLACES = 1_024;
const EMPTY = -1;

/** Numbers of rows by the id of their image: a table with linear probing, at most half full. */
export class ImageTable {
  #places = new Int32Array(FIRST_PLACES).fill(EMPTY);
  #count = 0;

  /** @param idOf the words of the image id of a row */
  constructor(private readonly idOf: (row: number) => Uint32Array) {}

  /** The row of an image; undefined for one that is not there. */
  get(imageId: string): number | undefined {
    const row = this.#places[this.#placeOf(wordsOf(imageId))] as number;
    return row === EMPTY ? undefined : row;
  }

  /** Name a row as that of its image, in place of another one. */
  set(row: number): void {
    const place = this.#placeOf(this.idOf(row));
    if (this.#places[place] === EMPTY) this.#count++;
    this.#places[place] = row;
    if (2 * this.#count > this.#places.length) this.#grow();
  }

  /** All rows that are named, in no order. */
  *rows(): Generator<number> {
    for (const row of this.#places) if (row !== EMPTY) yield row;
  }

  #placeOf(words: Uint32Array): number {
    const last = this.#places.length - 1;
    // Ids are digests: some of their bits are as good as a hash. The last ones too, should ids ever begin alike.
    let place = ((words[0] as number) ^ (words[ID_WORDS - 1] as number)) & last;
    for (let row = this.#places[place] as number; row !== EMPTY; row = this.#places[place] as number) {
      if (isEqual(this.idOf(row), words)) break;
      place = (place + 1) & last;
    }
    return place;
  }

  #grow(): void {
    const rows = [...this.rows()];
    this.#places = new Int32Array(2 * this.#places.length).fill(EMPTY);
    for (const row of rows) this.#places[this.#placeOf(this.idOf(row))] = row;
  }
}

function isEqual(a: Uint32Array, b: Uint32Array): boolean {
  for (let word = 0; word < ID_WORDS; word++) if (a[word] !== b[word]) return false;
  return true;
}
