import { join } from 'node:path';
import { PartloopError } from '../domain/base/errors.js';
import { type Batch, standingAnswers } from '../domain/board/batch.js';
import { inOrder, matches, type QueueFilter, type QueueFinding, type Rarity, rarityOf } from '../domain/board/queue.js';
import { isLookedAtTwice } from '../domain/board/reviewers.js';
import { type FindingRow, findingRowSchema, type IndexRow } from '../domain/tables.js';
import { labelNames } from '../domain/taxonomy.js';
import { BatchReader } from '../storage/board.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { openPool, type Pool } from '../storage/pool/pool.js';
import { type FoundScan, findScan } from '../storage/scans.js';
import { makeScratchFolder, type ScratchFolder } from '../storage/scratch.js';
import { streamFile } from '../storage/tables/table.js';
import { clearestImages } from './examples.js';
import { Imports } from './imports.js';
import { Plants } from './planted.js';

/** What the board keeps in memory of each finding: masks and features stay in the table. */
const listedSchema = findingRowSchema.omit({ evidence: true, proposal: true, areaPx: true, pModel: true });

/** The newest answer to a finding, whoever gave it. */
export interface KnownAnswer {
  verdict: string;
  comment: string;
  reviewer: string;
}

export interface ListedFinding extends QueueFinding {
  labelSha256: string;
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
  readonly #byId: ReadonlyMap<string, ListedFinding>;
  readonly #ordered = new Map<QueueFilter['order'], readonly ListedFinding[]>();
  readonly #reader: BatchReader;
  /** Known errors among the findings. */
  readonly plants: Plants;
  /** Answers to the pool that did not come from the board. */
  readonly imports: Imports;
  /** Ends once examples and images for known errors were looked for. */
  lookedAround: Promise<void> = Promise.resolve();
  #batches: readonly Batch[] = [];
  #ofOtherScans: readonly Batch[] = [];
  #examples: ReadonlyMap<number, readonly string[]> = new Map();

  private constructor(
    readonly store: ObjectStore,
    readonly scan: FoundScan,
    readonly pool: Pool,
    private readonly folder: ScratchFolder,
    private readonly table: string,
    private readonly findings: readonly ListedFinding[],
    private rows: ReadonlyMap<string, IndexRow>,
    private readonly rarity: Rarity,
  ) {
    this.names = labelNames(pool.taxonomy);
    this.kinds = new Set(findings.map(({ kind }) => kind));
    this.#reader = new BatchReader(store, pool.name);
    this.imports = new Imports(store, pool.name);
    this.plants = new Plants(this, findings);
    this.#byId = new Map(findings.map((finding) => [finding.findingId, finding]));
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
      await store.getFile(scan.findings, table);
      const read: Omit<ListedFinding, 'tags'>[] = [];
      for await (const row of streamFile(table, scan.findings, listedSchema)) read.push(row);
      const rows = await rowsOf(pool, new Set(read.map(({ imageId }) => imageId)));
      const images = new Map<number, number>();
      for (const { classes } of rows.values())
        for (const value of classes) images.set(value, (images.get(value) ?? 0) + 1);
      const findings = read.map((row): ListedFinding => ({ ...row, tags: rows.get(row.imageId) ?? null }));
      const desk = new ScanDesk(store, scan, pool, folder, table, findings, rows, rarityOf(images));
      await desk.refreshAnswers();
      // Beside other work: the first page does not wait for it.
      desk.lookedAround = desk.#lookAround();
      return desk;
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  /** Examples of classes, and images for known errors; a review goes on without. */
  async #lookAround(): Promise<void> {
    try {
      this.#examples = await clearestImages(this.store, this.scan);
      await this.plants.choose(new Set([...this.#examples.values()].flat()));
    } catch {
      // A table that cannot be read is told by those who need it.
    }
  }

  close(): Promise<void> {
    return this.folder.remove();
  }

  /**
   * The findings of a filter, in its order. Among open ones are some that another reviewer answered, for a second
   * opinion.
   */
  *queue(filter: QueueFilter, reviewer: string | null = null): Generator<ListedFinding> {
    for (const finding of this.#inOrder(filter.order)) {
      const answer = this.#answers.get(finding.findingId);
      if (filter.answers === 'open' && !this.isOpen(finding.findingId, reviewer)) continue;
      if (filter.answers === 'answered' && answer === undefined) continue;
      if (filter.reviewer !== undefined && answer?.reviewer !== filter.reviewer) continue;
      if (matches(finding, filter)) yield finding;
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

  /** True for a finding that another reviewer answered here, and that this one should answer unknowingly. */
  needsSecond(findingId: string, reviewer: string): boolean {
    const first = this.#onBoard.get(findingId);
    if (first === undefined || first === reviewer || this.#seconds.has(findingId)) return false;
    return isLookedAtTwice(findingId);
  }

  /** @throws PartloopError `not-found` */
  listed(findingId: string): ListedFinding {
    const finding = this.#byId.get(findingId);
    if (finding !== undefined) return finding;
    throw new PartloopError('not-found', `scan ${this.scan.id} has no finding ${findingId}`);
  }

  /** Whole rows of findings, with their masks, in the order asked for. */
  async wholeFindings(findingIds: readonly string[]): Promise<FindingRow[]> {
    const wanted = { column: 'findingId', values: new Set(findingIds) };
    const found = new Map<string, FindingRow>();
    for await (const row of streamFile(this.table, this.scan.findings, findingRowSchema, wanted))
      found.set(row.findingId, row);
    return findingIds.flatMap((id) => found.get(id) ?? []);
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
  async examplesOf(labelValue: number): Promise<IndexRow[]> {
    const ids = this.#examples.get(labelValue) ?? [];
    return this.pool.readImages(await this.pool.latestVersion(), new Set(ids));
  }

  answerTo(findingId: string): KnownAnswer | null {
    return this.#answers.get(findingId) ?? null;
  }

  /** The image as the pool has it now; null if it was removed. */
  rowOf(imageId: string): IndexRow | null {
    return this.rows.get(imageId) ?? null;
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
    this.rows = await rowsOf(this.pool, new Set(this.findings.map(({ imageId }) => imageId)));
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
      if (this.#byId.has(findingId))
        this.#answers.set(findingId, { verdict, comment: comment ?? '', reviewer: reviewer ?? '' });
    for (const { batch, answer } of standingAnswers(this.#batches)) {
      this.#onBoard.set(answer.findingId, batch.reviewer);
      this.#answers.set(answer.findingId, {
        ...{ verdict: answer.verdict, comment: answer.comment ?? '', reviewer: batch.reviewer },
      });
    }
  }

  #inOrder(order: QueueFilter['order']): readonly ListedFinding[] {
    const known = this.#ordered.get(order);
    if (known !== undefined) return known;
    const ordered = inOrder(this.findings, order, this.rarity);
    this.#ordered.set(order, ordered);
    return ordered;
  }
}

async function rowsOf(pool: Pool, images: ReadonlySet<string>): Promise<Map<string, IndexRow>> {
  const rows = await pool.readImages(await pool.latestVersion(), images);
  return new Map(rows.map((row) => [row.imageId, row]));
}
