import { join } from 'node:path';
import { PartloopError } from '../domain/base/errors.js';
import { type Batch, standingAnswers } from '../domain/board/batch.js';
import {
  asksAll,
  asksOfImages,
  expectedGain,
  inOrder,
  matches,
  type QueueFilter,
  rarityOf,
} from '../domain/board/queue.js';
import { isLookedAtTwice } from '../domain/board/reviewers.js';
import { type FindingRow, findingRowSchema, type IndexRow } from '../domain/tables.js';
import { labelNames } from '../domain/taxonomy.js';
import { BatchReader } from '../storage/board.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { openPool, type Pool } from '../storage/pool/pool.js';
import type { ShownImage } from '../storage/pool/shownImages.js';
import { type FoundScan, findScan } from '../storage/scans.js';
import { makeScratchFolder, type ScratchFolder } from '../storage/scratch.js';
import { streamFile } from '../storage/tables/table.js';
import { DeskImages } from './deskImages.js';
import { clearestImages } from './examples.js';
import { FindingTable, type ListedFinding } from './findingTable.js';
import { Imports } from './imports.js';
import { Plants } from './planted.js';

/** Filters whose findings are kept as a list: those of the people who look at a scan at one time. */
const KEPT_FILTERS = 16;
/** Whole findings that are kept: those on screens and the next ones. */
const KEPT_WHOLE = 512;

/** The newest answer to a finding, whoever gave it. */
export interface KnownAnswer {
  verdict: string;
  comment: string;
  reviewer: string;
}

/**
 * The findings of one scan with their pool, as the board works on them. The findings are read once, answers and labels
 * anew with `refresh`.
 */
export class ScanDesk {
  readonly names: readonly string[];
  readonly kinds: ReadonlySet<string>;
  readonly #answers = new Map<string, KnownAnswer>();
  /** Who answered a finding on the board. */
  readonly #onBoard = new Map<string, string>();
  /** Findings with a second answer. */
  readonly #seconds = new Set<string>();
  readonly #ordered = new Map<QueueFilter['order'], Uint32Array>();
  /** Places of the findings that a filter lets through, in its order, whatever answers they have. */
  readonly #matching = new Map<string, Uint32Array>();
  readonly #whole = new Map<string, FindingRow>();
  readonly #reader: BatchReader;
  /** Known errors among the findings. */
  readonly plants: Plants;
  /** Answers to the pool that did not come from the board. */
  readonly imports: Imports;
  #lookingAround: Promise<void> | null = null;
  #batches: readonly Batch[] = [];
  #ofOtherScans: readonly Batch[] = [];
  #examples: ReadonlyMap<number, readonly IndexRow[]> = new Map();

  private constructor(
    readonly store: ObjectStore,
    readonly scan: FoundScan,
    readonly pool: Pool,
    private readonly folder: ScratchFolder,
    private readonly table: string,
    private readonly findings: FindingTable,
    private images: DeskImages,
  ) {
    this.names = labelNames(pool.taxonomy);
    this.kinds = findings.kinds();
    this.#reader = new BatchReader(store, pool.name);
    this.imports = new Imports(store, pool.name);
    this.plants = new Plants(this, findings);
  }

  /**
   * @param cacheFolder for copies of the pool's index
   * @throws PartloopError `not-found` for an unknown scan
   */
  static async open(store: ObjectStore, id: string, cacheFolder: string): Promise<ScanDesk> {
    const scan = await findScan(store, id);
    const pool = await openPool(store, scan.pool, { cacheFolder });
    const folder = await makeScratchFolder('board');
    try {
      const table = join(folder.path, 'findings.parquet');
      const version = pool.latestVersion();
      await Promise.all([version, store.getFile(scan.findings, table)]);
      const findings = await FindingTable.read(table, scan.findings);
      const images = new DeskImages(pool, await version, findings.imageIds);
      const desk = new ScanDesk(store, scan, pool, folder, table, findings, images);
      await desk.refreshAnswers();
      return desk;
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  /**
   * Examples of classes, and images for known errors. Beside other work: the first page does not wait for them, and a
   * review goes on without.
   */
  lookAround(): Promise<void> {
    // A table that cannot be read is told by those who need it.
    this.#lookingAround ??= this.#findTrusted().catch(() => undefined);
    return this.#lookingAround;
  }

  async #findTrusted(): Promise<void> {
    const clearest = await clearestImages(this.store, this.scan);
    const shown = new Set([...clearest.values()].flat());
    const rows = await this.pool.readImages(await this.pool.latestVersion(), shown);
    const byId = new Map(rows.map((row) => [row.imageId, row]));
    this.#examples = new Map([...clearest].map(([value, ids]) => [value, ids.flatMap((id) => byId.get(id) ?? [])]));
    await this.plants.choose(shown);
  }

  close(): Promise<void> {
    return this.folder.remove();
  }

  /** Read what a filter asks for; `queue` and `progress` need it. */
  async prepare(filter: QueueFilter): Promise<void> {
    if (asksOfImages(filter)) await this.images.all();
  }

  /**
   * The findings of a filter, in its order. Among open ones are some that another reviewer answered, for a second
   * opinion.
   */
  *queue(filter: QueueFilter, reviewer: string | null = null): Generator<ListedFinding> {
    for (const place of this.#matchingOf(filter)) {
      const findingId = this.findings.ids[place] ?? '';
      const answer = this.#answers.get(findingId);
      if (filter.answers === 'open' && !this.isOpen(findingId, reviewer)) continue;
      if (filter.answers === 'answered' && answer === undefined) continue;
      if (filter.reviewer !== undefined && answer?.reviewer !== filter.reviewer) continue;
      yield this.findings.at(place);
    }
  }

  /** True for a finding without an answer, and for one that this reviewer should answer too. */
  isOpen(findingId: string, reviewer: string | null): boolean {
    return !this.#answers.has(findingId) || (reviewer !== null && this.needsSecond(findingId, reviewer));
  }

  /** Who answered a finding on the board first; undefined if nobody did. */
  firstOnBoard(findingId: string): string | undefined {
    return this.#onBoard.get(findingId);
  }

  /** How many findings a filter lets through whatever answers they have, and how many of them are answered. */
  countOf(filter: QueueFilter): { matching: number; answered: number } {
    let answered = 0;
    for (const [findingId, { reviewer }] of this.#answers) {
      const place = this.findings.placeOf(findingId);
      if (place === undefined || (filter.reviewer !== undefined && reviewer !== filter.reviewer)) continue;
      if (this.#isMatching(place, filter)) answered++;
    }
    return { matching: filter.reviewer === undefined ? this.#matchingOf(filter).length : answered, answered };
  }

  /** True for a finding that another reviewer answered here, and that this one should answer unknowingly. */
  needsSecond(findingId: string, reviewer: string): boolean {
    const first = this.#onBoard.get(findingId);
    if (first === undefined || first === reviewer || this.#seconds.has(findingId)) return false;
    return isLookedAtTwice(findingId);
  }

  /** @throws PartloopError `not-found` */
  listed(findingId: string): ListedFinding {
    const place = this.findings.placeOf(findingId);
    if (place !== undefined) return this.findings.at(place);
    throw new PartloopError('not-found', `scan ${this.scan.id} has no finding ${findingId}`);
  }

  /** Whole rows of findings, with their masks, in the order asked for. */
  async wholeFindings(findingIds: readonly string[]): Promise<FindingRow[]> {
    const missing = findingIds.filter((id) => !this.#whole.has(id) && this.findings.placeOf(id) !== undefined);
    const read = new Map<string, FindingRow>();
    if (missing.length > 0) {
      const wanted = { column: 'findingId', values: new Set(missing) };
      for await (const row of streamFile(this.table, this.scan.findings, findingRowSchema, wanted))
        read.set(row.findingId, row);
    }
    const found = findingIds.flatMap((id) => read.get(id) ?? this.#whole.get(id) ?? []);
    for (const row of found) keep(this.#whole, row.findingId, row, KEPT_WHOLE);
    return found;
  }

  /** All findings of some images, with their masks. */
  async findingsOf(imageIds: ReadonlySet<string>): Promise<Map<string, FindingRow[]>> {
    const found = new Map<string, FindingRow[]>();
    if (imageIds.size === 0) return found;
    const wanted = { column: 'imageId', values: imageIds };
    for await (const row of streamFile(this.table, this.scan.findings, findingRowSchema, wanted))
      if (found.get(row.imageId)?.push(row) === undefined) found.set(row.imageId, [row]);
    return found;
  }

  /** How many examples of a class there are; none as long as they are looked for. */
  exampleCount(labelValue: number): number {
    return this.#examples.get(labelValue)?.length ?? 0;
  }

  /** Images without findings on which the scan's model agrees most with a class: what it looks like if it is right. */
  examplesOf(labelValue: number): readonly IndexRow[] {
    return this.#examples.get(labelValue) ?? [];
  }

  answerTo(findingId: string): KnownAnswer | null {
    return this.#answers.get(findingId) ?? null;
  }

  /** Images of findings as the pool has them now; those that were removed are left out. */
  async imagesOf(imageIds: readonly string[]): Promise<ReadonlyMap<string, ShownImage>> {
    const images = await this.images.of([...new Set(imageIds)].filter((id) => this.findings.hasImage(id)));
    void this.lookAround();
    return images;
  }

  /** One of them; null if it was removed. */
  async imageOf(imageId: string): Promise<ShownImage | null> {
    return (await this.imagesOf([imageId])).get(imageId) ?? null;
  }

  /** The batches of this scan, oldest first. */
  get batches(): readonly Batch[] {
    return this.#batches;
  }

  /** Those of all scans of the pool. */
  get poolBatches(): readonly Batch[] {
    return [...this.#ofOtherScans, ...this.#batches];
  }

  /** Take the state of a batch over that this server just wrote. */
  know(batch: Batch): void {
    const others = this.#batches.filter(({ id }) => id !== batch.id);
    this.#batches = [...others, batch].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#combine();
  }

  /** Read labels anew, after they were revised. */
  async refreshLabels(): Promise<void> {
    this.images = new DeskImages(this.pool, await this.pool.latestVersion(), this.findings.imageIds);
    // Tags may have changed too.
    this.#matching.clear();
  }

  /** Read answers anew: those of other servers each time, those of imports at most once a minute. */
  async refreshAnswers(now = Date.now()): Promise<void> {
    const all = await this.#reader.read();
    this.#batches = all.filter(({ scan }) => scan === this.scan.id);
    this.#ofOtherScans = all.filter(({ scan }) => scan !== this.scan.id);
    await this.imports.refresh(all, now);
    this.#combine();
  }

  #combine(): void {
    this.#answers.clear();
    this.#onBoard.clear();
    this.#seconds.clear();
    for (const { state, answers } of this.#batches)
      if (state !== 'replaced') for (const one of answers) if (one.isSecond) this.#seconds.add(one.findingId);
    for (const { findingId, verdict, comment, reviewer } of this.imports.verdicts.values())
      if (this.findings.placeOf(findingId) !== undefined)
        this.#answers.set(findingId, { verdict, comment: comment ?? '', reviewer: reviewer ?? '' });
    for (const { batch, answer } of standingAnswers(this.#batches)) {
      this.#onBoard.set(answer.findingId, batch.reviewer);
      this.#answers.set(answer.findingId, {
        ...{ verdict: answer.verdict, comment: answer.comment ?? '', reviewer: batch.reviewer },
      });
    }
  }

  #matchingOf(filter: QueueFilter): Uint32Array {
    const { answers: _, reviewer: __, ...asked } = filter;
    const key = JSON.stringify(asked);
    const known = this.#matching.get(key);
    const ordered = this.#inOrder(filter.order);
    const matching = known ?? (asksAll(filter) ? ordered : ordered.filter((place) => this.#isMatching(place, filter)));
    keep(this.#matching, key, matching, KEPT_FILTERS);
    return matching;
  }

  #isMatching(place: number, filter: QueueFilter): boolean {
    const finding = this.findings.at(place);
    const tags = filter.tag === undefined ? null : (this.images.known?.tagsOf(finding.imageId) ?? null);
    return matches(finding, tags, filter);
  }

  #inOrder(order: QueueFilter['order']): Uint32Array {
    const known = this.#ordered.get(order);
    if (known !== undefined) return known;
    const rarity = rarityOf(this.images.known?.countClasses() ?? new Map());
    const values = Float64Array.from({ length: this.findings.count }, (_, place) => {
      const finding = this.findings.at(place);
      return order === 'gain' ? expectedGain(finding, rarity) : finding.pWrong;
    });
    const ordered = inOrder(values, this.findings.ids);
    this.#ordered.set(order, ordered);
    return ordered;
  }
}

/** Set the newest entry of a map, which loses its oldest ones above a number. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys())
    if (map.size > most) map.delete(oldest);
    else return;
}
