import type { DuckDBAppender, DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { makeScratchFolder, type ScratchFolder } from '../../storage/scratch.js';
import { scratchDatabase } from '../../storage/tables/database.js';
import type { ByteRange } from '../reading/sizedFile.js';

/** What the index may take of memory and of the disk: rows of some 40 bytes an annotation, and their sorting. */
const MOST = { memoryMegabytes: 192, diskMegabytes: 32_768 };
/** The appender keeps its rows in memory until it is flushed. */
const FLUSHED_AT = 20_000;

/** An entry of `images` with one of its annotations, or without any. */
interface Place extends ByteRange {
  at: number;
  own: ByteRange | null;
}

/** Where an entry of `images` is, with its annotations in the order of the file. */
export interface IndexedImage {
  entry: ByteRange;
  /** Only as many of them as have `most` bytes. */
  annotations: ByteRange[];
  /** The bytes of all of them. */
  bytes: number;
}

/**
 * Where the images and annotations of a COCO file are, so that each image finds its annotations wherever they stand.
 * It lies in a database that goes to the disk if it grows large.
 */
export class AnnotationIndex {
  #lists = { images: 0, annotations: 0 };
  #unflushed = 0;

  private constructor(
    private readonly folder: ScratchFolder,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly images: DuckDBAppender,
    private readonly annotations: DuckDBAppender,
  ) {}

  static async make(): Promise<AnnotationIndex> {
    const folder = await makeScratchFolder('coco');
    try {
      const instance = await scratchDatabase(folder.path, MOST);
      const connection = await instance.connect();
      const place = 'list INTEGER, place UINTEGER, start DOUBLE, size DOUBLE';
      await connection.run(`CREATE TABLE images (${place}, own VARCHAR, id VARCHAR)`);
      await connection.run(`CREATE TABLE annotations (${place}, owner VARCHAR)`);
      const [images, annotations] = [
        await connection.createAppender('images'),
        await connection.createAppender('annotations'),
      ];
      return new AnnotationIndex(folder, instance, connection, images, annotations);
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  /** A list begins; an earlier one of this name does not count. */
  restart(list: 'images' | 'annotations'): void {
    this.#lists[list] += 1;
  }

  /**
   * @param own the id that the entry says, valid or not
   * @param id the id of a valid entry
   */
  addImage(at: number, { begin, size }: ByteRange, { own, id }: { own: string | null; id: string | null }): void {
    this.images.appendInteger(this.#lists.images);
    this.#append(this.images, at, { begin, size }, [own, id]);
  }

  /** @param owner the id of the image that it belongs to; null if it names none */
  addAnnotation(at: number, range: ByteRange, owner: string | null): void {
    this.annotations.appendInteger(this.#lists.annotations);
    this.#append(this.annotations, at, range, [owner]);
  }

  #append(to: DuckDBAppender, at: number, { begin, size }: ByteRange, ids: readonly (string | null)[]): void {
    to.appendUInteger(at);
    to.appendDouble(begin);
    to.appendDouble(size);
    for (const id of ids) {
      if (id === null) to.appendNull();
      else to.appendVarchar(key(id));
    }
    to.endRow();
    if (++this.#unflushed >= FLUSHED_AT) this.#flush();
  }

  #flush(): void {
    this.images.flushSync();
    this.annotations.flushSync();
    this.#unflushed = 0;
  }

  /** Whether two valid images have one id. */
  async hasTwins(): Promise<boolean> {
    const [row] = await this.#rows(`SELECT count(id) > count(DISTINCT id) AS twins FROM (${this.#of('images')})`);
    return row?.twins === true;
  }

  /** Annotations of images that the file does not list: how many, and the first of them by their places. */
  async strays(first: number): Promise<{ count: number; examples: { at: number; range: ByteRange }[] }> {
    const strays = `(${this.#of('annotations')}) AS a
      WHERE owner IS NULL OR NOT EXISTS (SELECT 1 FROM (${this.#of('images')}) AS i WHERE i.own = a.owner)`;
    const [counted] = await this.#rows(`SELECT count(*)::DOUBLE AS count FROM ${strays}`);
    const rows = await this.#rows(`SELECT place, start, size FROM ${strays} ORDER BY place LIMIT ${first}`);
    const examples = rows.map(({ place, start, size }) => ({
      at: Number(place),
      range: { begin: Number(start), size: Number(size) },
    }));
    return { count: Number(counted?.count), examples };
  }

  /**
   * All entries of `images` in the order of the file.
   *
   * @param most bytes of annotations after which further ones of an image are counted only
   */
  async *entries(most: number): AsyncGenerator<IndexedImage> {
    let open: (IndexedImage & { at: number }) | null = null;
    for await (const { at, begin, size, own } of this.#places()) {
      if (open === null || open.at !== at) {
        if (open !== null) yield open;
        open = { at, entry: { begin, size }, annotations: [], bytes: 0 };
      }
      if (own === null) continue;
      open.bytes += own.size;
      if (open.bytes <= most) open.annotations.push(own);
    }
    if (open !== null) yield open;
  }

  /** Each entry of `images` with each of its annotations. */
  async *#places(): AsyncGenerator<Place> {
    this.#flush();
    const result = await this.connection.stream(
      `SELECT i.place, i.start, i.size, a.start, a.size FROM (${this.#of('images')}) AS i
       LEFT JOIN (${this.#of('annotations')}) AS a ON a.owner = i.id ORDER BY i.place, a.place`,
    );
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk())
      for (const [at, begin, size, ownBegin, ownSize] of chunk.getRows()) {
        const own = ownBegin === null ? null : { begin: Number(ownBegin), size: Number(ownSize) };
        yield { at: Number(at), begin: Number(begin), size: Number(size), own };
      }
  }

  async close(): Promise<void> {
    this.connection.closeSync();
    this.instance.closeSync();
    await this.folder.remove();
  }

  #of(list: 'images' | 'annotations'): string {
    return `SELECT * FROM ${list} WHERE list = ${this.#lists[list]}`;
  }

  async #rows(query: string) {
    this.#flush();
    return (await this.connection.runAndReadAll(query)).getRowObjectsJS();
  }
}

/** An id as a database can hold it: halves of surrogate pairs would all become one letter. */
const key = (id: string): string => JSON.stringify(id);
