const FIRST_CAPACITY = 1_024;
/** Bytes of text that are kept together. */
const CHUNK = 2 ** 20;

/** Whole numbers below 2^32 in a row that grows. */
export class GrowingNumbers {
  #values = new Uint32Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Uint32Array(Math.ceil(this.#length * 1.5));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  at(position: number): number {
    return this.#values[position] as number;
  }

  /** The numbers from a position on, as a view that the next `push` may leave behind. */
  view(position: number, count: number): Uint32Array {
    return this.#values.subarray(position, position + count);
  }
}

/** Texts as UTF-8, outside of the heap of JavaScript. */
export class GrowingTexts {
  readonly #chunks: Buffer[] = [];
  readonly #chunk = new GrowingNumbers();
  readonly #start = new GrowingNumbers();
  readonly #end = new GrowingNumbers();
  #used = CHUNK;

  push(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#used + bytes > (this.#chunks.at(-1)?.length ?? 0)) {
      this.#chunks.push(Buffer.allocUnsafe(Math.max(CHUNK, bytes)));
      this.#used = 0;
    }
    this.#chunks.at(-1)?.write(text, this.#used);
    this.#chunk.push(this.#chunks.length - 1);
    this.#start.push(this.#used);
    this.#used += bytes;
    this.#end.push(this.#used);
  }

  at(position: number): string {
    const chunk = this.#chunks[this.#chunk.at(position)];
    return chunk?.toString('utf8', this.#start.at(position), this.#end.at(position)) ?? '';
  }
}
