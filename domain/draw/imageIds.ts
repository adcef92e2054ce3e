import { Buckets } from './buckets.js';

/** Words of 32 bits in an image id, which is a sha256. */
export const ID_WORDS = 8;
const WORD_HEX = 8;
/** Ids are sorted by so many of their bits first: random ones differ there. */
const LEADING_BITS = 20;

/** Image ids by column: eight words each, the most significant one first. */
export class ImageIds {
  constructor(readonly words: Uint32Array) {}

  static of(imageIds: readonly string[]): ImageIds {
    const words = new Uint32Array(imageIds.length * ID_WORDS);
    imageIds.forEach((imageId, at) => {
      words.set(wordsOf(imageId), at * ID_WORDS);
    });
    return new ImageIds(words);
  }

  get count(): number {
    return this.words.length / ID_WORDS;
  }

  /** The id at a position, as 64 hex digits. */
  at(position: number): string {
    let text = '';
    for (let word = position * ID_WORDS; word < (position + 1) * ID_WORDS; word++)
      text += (this.words[word] as number).toString(16).padStart(WORD_HEX, '0');
    return text;
  }

  /** Where an id is among ids in ascending order; -1 for an id that is not there. */
  find(imageId: string): number {
    const wanted = new ImageIds(wordsOf(imageId));
    let [from, end] = [0, this.count];
    while (from < end) {
      const middle = (from + end) >>> 1;
      const order = this.compare(middle, 0, wanted);
      if (order === 0) return middle;
      if (order < 0) from = middle + 1;
      else end = middle;
    }
    return -1;
  }

  /** Negative if the id at `a` comes before the id at `b`, here or of `others`; 0 for equal ids. */
  compare(a: number, b: number, others: ImageIds = this): number {
    for (let word = 0; word < ID_WORDS; word++) {
      const one = this.words[a * ID_WORDS + word] as number;
      const other = others.words[b * ID_WORDS + word] as number;
      if (one !== other) return one < other ? -1 : 1;
    }
    return 0;
  }

  /** Positions in ascending order of their ids, those of equal ids in ascending order. */
  order(): Int32Array {
    const leading = Uint32Array.from({ length: this.count }, (_, at) => leadingBits(this.words[at * ID_WORDS] ?? 0));
    const buckets = new Buckets(this.count, 2 ** LEADING_BITS);
    buckets.fill(leading);
    buckets.forEachRun((start, end) => {
      buckets.positions.subarray(start, end).sort((a, b) => this.compare(a, b) || a - b);
    });
    return buckets.positions;
  }

  /** The ids at some positions. */
  pick(positions: Int32Array): ImageIds {
    const picked = new Uint32Array(positions.length * ID_WORDS);
    for (let at = 0; at < positions.length; at++) {
      const from = (positions[at] as number) * ID_WORDS;
      for (let word = 0; word < ID_WORDS; word++) picked[at * ID_WORDS + word] = this.words[from + word] as number;
    }
    return new ImageIds(picked);
  }
}

const leadingBits = (word: number): number => word >>> (32 - LEADING_BITS);

/** The eight words of an image id, or of any sha256 in hex. */
export function wordsOf(imageId: string): Uint32Array {
  const words = new Uint32Array(ID_WORDS);
  for (let at = 0; at < ID_WORDS * WORD_HEX; at++) {
    const code = imageId.charCodeAt(at);
    // A digit is its code's last four bits; a letter's are nine too small.
    const digit = (code & 15) + 9 * (code >>> 6);
    words[at >>> 3] = ((words[at >>> 3] as number) << 4) | digit;
  }
  return words;
}
