import { PartloopError } from '../domain/base/errors.js';
import type { QueueFinding } from '../domain/board/queue.js';
import { FINDING_KINDS, type FindingKind, findingRowSchema } from '../domain/tables.js';
import { streamFile } from '../storage/tables/table.js';
import { type Cells, streamCells } from '../storage/tables/typedColumns.js';

/** What the board asks of every finding; all else of a finding is read when it is shown. */
const listedSchema = findingRowSchema.pick({
  ...{ findingId: true, imageId: true, kind: true, classId: true, suggestedClassId: true },
  ...{ pWrong: true, areaShare: true },
});
const SELECTION = [
  ...['findingId', 'imageId', 'kind', 'classId::DOUBLE', 'coalesce(suggestedClassId, -1)::DOUBLE'],
  ...['pWrong::DOUBLE', 'areaShare::DOUBLE'],
];
const [ID, IMAGE, KIND, GIVEN, PROPOSED, PROBABILITY, AREA] = [0, 1, 2, 3, 4, 5, 6];
/** No class, where a finding proposes none. */
const NONE = -1;
const SHA256 = /^[0-9a-f]{64}$/;
const KIND_NUMBERS: ReadonlyMap<string, number> = new Map(FINDING_KINDS.map((kind, number) => [kind, number]));

/** A finding in the list of a scan. */
export type ListedFinding = QueueFinding;

/** The findings of a scan by column: objects of a hundred thousand would take ten times the memory. */
export class FindingTable {
  readonly ids: string[] = [];
  /** Ids of the images that have findings. */
  readonly imageIds: string[] = [];
  readonly #images = new Map<string, number>();
  readonly #places = new Map<string, number>();
  /** Place of a finding's image in `imageIds`. */
  readonly #image: number[] = [];
  readonly #kind: number[] = [];
  readonly #given: number[] = [];
  readonly #proposed: number[] = [];
  readonly #probability: number[] = [];
  readonly #area: number[] = [];

  private constructor() {}

  /**
   * Read a table on this disk.
   *
   * @throws PartloopError `data-invalid` naming `origin` for a row that is not as it should be
   */
  static async read(path: string, origin: string): Promise<FindingTable> {
    const table = new FindingTable();
    for await (const cells of streamCells(path, origin, SELECTION, {}))
      for (let row = 0; row < cells.rows; row++) if (!table.#add(cells, row)) await refuse(path, origin);
    return table;
  }

  get count(): number {
    return this.ids.length;
  }

  /** The finding at a place. */
  at(place: number): ListedFinding {
    const proposed = this.#proposed[place] ?? NONE;
    return {
      findingId: this.ids[place] ?? '',
      imageId: this.imageIds[this.#image[place] ?? 0] ?? '',
      kind: FINDING_KINDS[this.#kind[place] ?? 0] as FindingKind,
      classId: this.#given[place] ?? 0,
      suggestedClassId: proposed === NONE ? null : proposed,
      pWrong: this.#probability[place] ?? 0,
      areaShare: this.#area[place] ?? 0,
    };
  }

  /** All findings, in the order of the table. */
  *all(): Generator<ListedFinding> {
    for (let place = 0; place < this.count; place++) yield this.at(place);
  }

  /** The place of a finding; undefined if there is none of this id. */
  placeOf(findingId: string): number | undefined {
    return this.#places.get(findingId);
  }

  hasImage(imageId: string): boolean {
    return this.#images.has(imageId);
  }

  /** Kinds of which there are findings. */
  kinds(): Set<FindingKind> {
    return new Set([...new Set(this.#kind)].map((number) => FINDING_KINDS[number] as FindingKind));
  }

  /** False for a row that is not as `listedSchema` says. */
  #add({ cell }: Cells, row: number): boolean {
    const [id, image, kind] = [cell(ID, row), cell(IMAGE, row), KIND_NUMBERS.get(String(cell(KIND, row)))];
    const [given, proposed] = [cell(GIVEN, row), cell(PROPOSED, row)];
    const [probability, area] = [cell(PROBABILITY, row), cell(AREA, row)];
    if (typeof id !== 'string' || typeof image !== 'string' || kind === undefined) return false;
    if (!isCount(given) || !(proposed === NONE || isCount(proposed))) return false;
    if (!isShare(probability) || !isShare(area)) return false;
    const known = this.#images.get(image);
    if (known === undefined) {
      if (!SHA256.test(image)) return false;
      this.#images.set(image, this.imageIds.length);
      this.imageIds.push(image);
    }
    this.#places.set(id, this.ids.length);
    this.ids.push(id);
    this.#image.push(known ?? this.imageIds.length - 1);
    this.#kind.push(kind);
    this.#given.push(given);
    this.#proposed.push(proposed);
    this.#probability.push(probability);
    this.#area.push(area);
    return true;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isShare = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

/** Tell of the first row that is not as it should be, as every other reader of tables does. */
async function refuse(path: string, origin: string): Promise<never> {
  for await (const _ of streamFile(path, origin, listedSchema));
  throw new PartloopError('data-invalid', `${origin} has a row that tells no finding`);
}
