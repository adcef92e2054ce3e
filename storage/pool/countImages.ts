import { z } from 'zod';
import { PartloopError } from '../../domain/base/errors.js';
import { newestRows } from '../../domain/draw/drawColumns.js';
import { ID_WORDS, ImageIds } from '../../domain/draw/imageIds.js';
import { indexRowSchema } from '../../domain/tables.js';
import { TAG_NAMES, tagsSchema } from '../../domain/tags.js';
import { GrowingNumbers } from '../packed/growing.js';
import { columnType } from '../tables/columns.js';
import { type Cells, streamCells } from '../tables/typedColumns.js';
import { idWords, isSha256 } from './drawIndex.js';

/** What images are counted by. */
const factsSchema = indexRowSchema.pick({ split: true }).extend(tagsSchema.shape);
export type CountedFacts = z.output<typeof factsSchema>;
const classesSchema = indexRowSchema.shape.classes;

/** The images of a pool in numbers. */
export interface PoolCounts {
  images: number;
  vehicles: number;
  /** Images that are alike in split, tags and classes. */
  groups: { facts: CountedFacts; classes: number[]; images: number }[];
  /** Images whose label has no class, and the names of the first of them by image id. */
  unlabelled: { count: number; examples: string[] };
}

const EXAMPLES = 5;
const NO_VEHICLE = '';
const COUNTED = ['split', ...TAG_NAMES] as const;
const ID = 1;
const [FACTS, CLASSES, VEHICLE, UNLABELLED, REVISION, REMOVED] = [9, 10, 11, 12, 13, 14];
const SELECTION = [
  `coalesce(${isSha256('imageId')} AND labelRevision >= 0, false)`,
  ...idWords('imageId'),
  `to_json(struct_pack(${COUNTED.map((name) => `"${name}" := "${name}"`).join(', ')}))::VARCHAR`,
  'to_json(classes)::VARCHAR',
  'vehicleId',
  'CASE WHEN len(classes) = 0 THEN fileName END',
  'labelRevision::DOUBLE',
  'removedAt IS NOT NULL',
];
/** Columns that a segment of an earlier version may lack. */
const OPTIONAL = Object.fromEntries(
  [...TAG_NAMES, 'removedAt' as const].map((name) => [name, columnType(indexRowSchema.shape[name], name)]),
);

/** Counts the newest rows of a pool's images from their columns, without an object a row. */
export class ImageCounter {
  readonly #ids = new GrowingNumbers();
  readonly #facts = new Interned();
  readonly #classes = new Interned();
  readonly #vehicles = new Interned();
  readonly #revisions: number[] = [];
  readonly #removed: number[] = [];
  readonly #unlabelled = new Map<number, string>();

  /**
   * Add the rows of a segment on this disk, in the order of the segments; yields how many were read, some thousand at a
   * time.
   *
   * @throws PartloopError `data-invalid` for a file that is no such table
   */
  async *add(path: string, origin: string): AsyncGenerator<number> {
    for await (const cells of streamCells(path, origin, SELECTION, OPTIONAL)) {
      for (let row = 0; row < cells.rows; row++) {
        if (cells.cell(0, row) !== true)
          throw new PartloopError('data-invalid', `${origin} has a row without an image id or a revision`);
        this.#put(cells, row);
      }
      yield cells.rows;
    }
  }

  #put({ cell }: Cells, row: number): void {
    for (let word = 0; word < ID_WORDS; word++) this.#ids.push(Number(cell(ID + word, row)));
    this.#facts.push(String(cell(FACTS, row)));
    this.#classes.push(String(cell(CLASSES, row)));
    const vehicleId = cell(VEHICLE, row);
    this.#vehicles.push(vehicleId === null ? NO_VEHICLE : `known ${vehicleId}`);
    const fileName = cell(UNLABELLED, row);
    if (fileName !== null) this.#unlabelled.set(this.#revisions.length, String(fileName));
    this.#revisions.push(Number(cell(REVISION, row)));
    this.#removed.push(Number(cell(REMOVED, row)));
  }

  /** @throws PartloopError `data-invalid` for facts or classes that no row may have */
  counts(): PoolCounts {
    const rows = newestRows({
      ids: new ImageIds(this.#ids.view(0, this.#ids.length)),
      labelRevision: this.#revisions,
      removed: this.#removed,
    });
    const vehicles = new Set<number>();
    const unlabelled: PoolCounts['unlabelled'] = { count: 0, examples: [] };
    const numbers = new Map<number, number>();
    for (const row of rows) {
      vehicles.add(this.#vehicles.numberAt(row));
      const group = this.#facts.numberAt(row) * this.#classes.count + this.#classes.numberAt(row);
      numbers.set(group, (numbers.get(group) ?? 0) + 1);
      const fileName = this.#unlabelled.get(row);
      if (fileName === undefined) continue;
      unlabelled.count++;
      if (unlabelled.examples.length < EXAMPLES) unlabelled.examples.push(fileName);
    }
    const nobodys = this.#vehicles.numberOf(NO_VEHICLE);
    const facts = this.#facts.parsed(factsSchema);
    const classes = this.#classes.parsed(classesSchema);
    const groups = [...numbers].map(([group, images]) => ({
      facts: facts[Math.floor(group / classes.length)] as CountedFacts,
      classes: classes[group % classes.length] as number[],
      images,
    }));
    const known = vehicles.size - (nobodys !== undefined && vehicles.has(nobodys) ? 1 : 0);
    return { images: rows.length, vehicles: known, groups, unlabelled };
  }
}

/** Texts of rows, each text kept once. */
class Interned {
  readonly #numbers = new Map<string, number>();
  readonly #rows = new GrowingNumbers();

  /** How many texts there are. */
  get count(): number {
    return this.#numbers.size;
  }

  push(text: string): void {
    const known = this.#numbers.get(text);
    const number = known ?? this.#numbers.size;
    if (known === undefined) this.#numbers.set(text, number);
    this.#rows.push(number);
  }

  numberAt(row: number): number {
    return this.#rows.at(row);
  }

  numberOf(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  /** All texts as JSON, in the order of their numbers. */
  parsed<T>(schema: z.ZodType<T>): T[] {
    return [...this.#numbers.keys()].map((text) => {
      const { data, error } = schema.safeParse(JSON.parse(text));
      if (error === undefined) return data;
      throw new PartloopError(
        'data-invalid',
        `the pool's index has \`${text.slice(0, 500)}\`: ${z.prettifyError(error)}`,
      );
    });
  }
}
