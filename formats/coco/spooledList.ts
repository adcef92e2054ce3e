import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const WRITTEN_AT_ONCE = 2 ** 20;

/** A list of JSON items in a file of its own, until the file that it belongs to can be put together. */
export class SpooledList {
  #file: FileHandle | null = null;
  #pending: string[] = [];
  #pendingLetters = 0;
  #items = 0;

  constructor(readonly path: string) {}

  /** How many items it has. */
  get count(): number {
    return this.#items;
  }

  /** Add an item; how many letters it has. */
  async add(item: object): Promise<number> {
    const text = `${this.#items++ === 0 ? '' : ',\n'}${JSON.stringify(item)}`;
    this.#pending.push(text);
    this.#pendingLetters += text.length;
    if (this.#pendingLetters >= WRITTEN_AT_ONCE) await this.#flush();
    return text.length;
  }

  /** Close the list; its text can be read from then on. */
  async close(): Promise<void> {
    await this.#flush();
    await this.#file?.close();
    this.#file = null;
  }

  text(): AsyncIterable<Buffer> {
    return createReadStream(this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }

  async #flush(): Promise<void> {
    if (this.#file === null) {
      await mkdir(dirname(this.path), { recursive: true });
      this.#file = await open(this.path, 'w');
    }
    await this.#file.writeFile(this.#pending.join(''));
    this.#pending = [];
    this.#pendingLetters = 0;
  }
}
