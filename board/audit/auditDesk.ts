import { PartloopError } from '../../domain/base/errors.js';
import { openImages } from '../../domain/board/auditQueue.js';
import { type FindingRow, type IndexRow, type ScanImageRow, scanImageRowSchema } from '../../domain/tables.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { FoundScan } from '../../storage/scans.js';
import { streamTable } from '../../storage/tables/table.js';
import type { ScanDesk } from '../scanDesk.js';

const drawnSchema = scanImageRowSchema.pick({ imageId: true, labelSha256: true, auditChance: true });

/**
 * The images that a scan drew into its audit sample, with the labels that it judged. By their ids, which are digests:
 * suspect images come neither first nor last.
 */
export async function auditSample(
  store: ObjectStore,
  { images }: Pick<FoundScan, 'images'>,
): Promise<ReadonlyMap<string, string>> {
  const drawn: [string, string][] = [];
  for await (const { imageId, labelSha256, auditChance } of streamTable(store, images, drawnSchema))
    if (auditChance !== null) drawn.push([imageId, labelSha256]);
  return new Map(drawn.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The audit sample of one scan: whole labels to look at. */
export class AuditDesk {
  private constructor(
    readonly desk: ScanDesk,
    private readonly sample: ReadonlyMap<string, string>,
    private readonly images: ReadonlyMap<string, ScanImageRow>,
    private readonly findings: ReadonlyMap<string, readonly FindingRow[]>,
    private rows: ReadonlyMap<string, IndexRow>,
  ) {}

  static async open(desk: ScanDesk): Promise<AuditDesk> {
    const sample = await auditSample(desk.store, desk.scan);
    const drawn = new Set(sample.keys());
    const images = new Map<string, ScanImageRow>();
    if (drawn.size > 0)
      for await (const row of streamTable(desk.store, desk.scan.images, scanImageRowSchema, {
        column: 'imageId',
        values: drawn,
      }))
        images.set(row.imageId, row);
    return new AuditDesk(desk, sample, images, await desk.findingsOf(drawn), await rowsOf(desk, drawn));
  }

  /** Images that were drawn. */
  get size(): number {
    return this.sample.size;
  }

  /** Read labels anew, after they were revised. */
  async refreshLabels(): Promise<void> {
    this.rows = await rowsOf(this.desk, new Set(this.sample.keys()));
  }

  /** @throws PartloopError `not-found` for an image that is not of the sample */
  image(imageId: string): ScanImageRow {
    const row = this.images.get(imageId);
    if (row !== undefined) return row;
    throw new PartloopError('not-found', `the audit sample of scan ${this.desk.scan.id} has no image ${imageId}`);
  }

  /** What the scan said of images of the sample. */
  judged(imageIds: readonly string[]): { images: ScanImageRow[]; findings: FindingRow[] } {
    return {
      images: imageIds.map((imageId) => this.image(imageId)),
      findings: imageIds.flatMap((imageId) => this.findings.get(imageId) ?? []),
    };
  }

  /**
   * The image with the label that the scan judged.
   *
   * @throws PartloopError `data-changed` if the pool has another label by now, or none
   */
  judgedRow(imageId: string): IndexRow {
    const { fileName } = this.image(imageId);
    const row = this.openRow(imageId);
    if (row !== null) return row;
    throw new PartloopError('data-changed', `the label of ${fileName} is no longer the one that was drawn`, {
      hint: 'An answer would be about another label. Go on with the next image.',
    });
  }

  /** The same; null if the pool has another label by now, or none. */
  openRow(imageId: string): IndexRow | null {
    const row = this.rows.get(imageId);
    return row !== undefined && row.labelSha256 === this.sample.get(imageId) ? row : null;
  }

  /** Open images; those of which this reviewer is unsure are left to others. */
  queue(reviewer: string | null): Generator<string> {
    const { desk, sample } = this;
    const labelNow = (imageId: string): string | undefined => this.rows.get(imageId)?.labelSha256;
    return openImages({ sample, labelNow, audits: desk.imports.audits, batches: desk.poolBatches }, reviewer);
  }
}

/** The audit sample of a scan, read when it is first asked for. */
export class AuditOpener {
  #opening: Promise<AuditDesk> | null = null;

  constructor(private readonly desk: ScanDesk) {}

  get(): Promise<AuditDesk> {
    this.#opening ??= AuditDesk.open(this.desk).catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Read labels anew, after they were revised. */
  async refreshLabels(): Promise<void> {
    await (await this.#opening)?.refreshLabels();
  }
}

async function rowsOf({ pool }: ScanDesk, images: ReadonlySet<string>): Promise<Map<string, IndexRow>> {
  if (images.size === 0) return new Map();
  const rows = await pool.readImages(await pool.latestVersion(), images);
  return new Map(rows.map((row) => [row.imageId, row]));
}
