import { PartloopError } from '../domain/base/errors.js';
import { seededRandom } from '../domain/base/random.js';
import { labelWithError, type PlantedImage, plantedFinding, plantedIdAfter } from '../domain/board/planted.js';
import type { QueueFinding } from '../domain/board/queue.js';
import { type FindingRow, type IndexRow, scanImageRowSchema } from '../domain/tables.js';
import type { ObjectStore } from '../storage/objects/objectStore.js';
import { readLabel } from '../storage/pictures/imageSource.js';
import { decodeLabel, type LabelMask } from '../storage/pictures/labelMask.js';
import type { Pool } from '../storage/pool/pool.js';
import type { FoundScan } from '../storage/scans.js';
import { streamTable } from '../storage/tables/table.js';
import type { FindingTable } from './findingTable.js';

/** The least suspect images that errors are planted into. */
const TRUSTED = 1_000;
/** Of images without a finding, the less suspect half is trusted. */
const TRUSTED_SHARE = 0.5;
/** Images that are tried for an error before it is left out. */
const TRIES = 4;
const MAX_REVIEWERS = 100;

const judgedSchema = scanImageRowSchema.pick({
  ...{ imageId: true, labelSha256: true, pMislabelled: true, findings: true },
  ...{ quarantined: true, regionsIgnored: true, auditChance: true, error: true },
});

/** A known error: a finding that no scan made, about a label that nobody has. */
export interface Planted {
  id: string;
  /** The finding that it comes after, and looks like. */
  like: QueueFinding;
}

/** A known error as it is shown. */
export interface MadePlanted {
  finding: FindingRow;
  row: IndexRow;
}

/** What a reviewer's known errors are, by the finding before each and by their own ids. */
interface OfReviewer {
  after: ReadonlyMap<string, Planted>;
  byId: ReadonlyMap<string, Planted>;
}

/** Known errors among the findings of a scan. They stay in memory: nothing of them is stored but the answers. */
export class Plants {
  /** By label value, the trusted images that have it; empty until they were read. */
  #trusted: ReadonlyMap<number, readonly IndexRow[]> = new Map();
  readonly #byReviewer = new Map<string, OfReviewer>();
  /** The finding of each that was shown; null if no trusted label has a part for it. */
  readonly #rows = new Map<string, IndexRow>();
  readonly #made = new Map<string, Promise<MadePlanted | null>>();
  readonly #impossible = new Set<string>();

  constructor(
    private readonly desk: { store: ObjectStore; scan: FoundScan; pool: Pool },
    private readonly findings: Pick<FindingTable, 'all' | 'hasImage'>,
  ) {}

  /** Choose images whose labels nothing speaks against; `shown` are those that pages show as examples. */
  async choose(shown: ReadonlySet<string>): Promise<void> {
    const { store, scan, pool } = this.desk;
    const judged: { imageId: string; labelSha256: string; pMislabelled: number }[] = [];
    for await (const row of streamTable(store, scan.images, judgedSchema)) {
      const isSuspect =
        row.findings > 0 ||
        this.findings.hasImage(row.imageId) ||
        row.quarantined ||
        row.regionsIgnored ||
        row.error !== null;
      // A reviewer of the audit sample sees the label as it is.
      if (!isSuspect && row.auditChance === null && !shown.has(row.imageId)) judged.push(row);
    }
    judged.sort((a, b) => a.pMislabelled - b.pMislabelled || (a.imageId < b.imageId ? -1 : 1));
    const trusted = judged.slice(0, Math.min(TRUSTED, Math.ceil(TRUSTED_SHARE * judged.length)));
    const labels = new Map(trusted.map(({ imageId, labelSha256 }) => [imageId, labelSha256]));
    const rows = await pool.readImages(await pool.latestVersion(), new Set(labels.keys()));
    const byValue = new Map<number, IndexRow[]>();
    for (const row of rows.toSorted((a, b) => (a.imageId < b.imageId ? -1 : 1))) {
      if (labels.get(row.imageId) !== row.labelSha256) continue;
      for (const value of row.classes) if (byValue.get(value)?.push(row) === undefined) byValue.set(value, [row]);
    }
    this.#trusted = byValue;
  }

  /** The known error that a reviewer sees after a finding; null if none. */
  after({ findingId, suggestedClassId }: QueueFinding, reviewer: string): Planted | null {
    if ((this.#trusted.get(suggestedClassId ?? 0)?.length ?? 0) === 0) return null;
    const planted = this.#of(reviewer).after.get(findingId) ?? null;
    return planted === null || this.#impossible.has(planted.id) ? null : planted;
  }

  /** The known error of an id; null for a finding, and for another reviewer's. */
  find(id: string, reviewer: string): Planted | null {
    return this.#of(reviewer).byId.get(id) ?? null;
  }

  /** All known errors of a reviewer, in no order. */
  all(reviewer: string): Iterable<Planted> {
    return this.#of(reviewer).byId.values();
  }

  #of(reviewer: string): OfReviewer {
    const known = this.#byReviewer.get(reviewer);
    if (known !== undefined) return known;
    const made = { after: new Map<string, Planted>(), byId: new Map<string, Planted>() };
    for (const like of this.findings.all()) {
      const id = plantedIdAfter(like, { scan: this.desk.scan.id, reviewer });
      if (id === null) continue;
      made.after.set(like.findingId, { id, like });
      made.byId.set(id, { id, like });
    }
    this.#byReviewer.set(reviewer, made);
    for (const oldest of this.#byReviewer.keys())
      if (this.#byReviewer.size > MAX_REVIEWERS) this.#byReviewer.delete(oldest);
    return made;
  }

  /** The finding and the image of a known error; null if no trusted label has a part for it. */
  made(planted: Planted): Promise<MadePlanted | null> {
    const known = this.#made.get(planted.id);
    if (known !== undefined) return known;
    const making = this.#make(planted);
    this.#made.set(planted.id, making);
    making.then(
      (made) => {
        if (made === null) this.#impossible.add(planted.id);
        else this.#rows.set(made.row.imageId, made.row);
      },
      () => this.#made.delete(planted.id),
    );
    return making;
  }

  async #make({ id, like }: Planted): Promise<MadePlanted | null> {
    const rows = this.#trusted.get(like.suggestedClassId ?? 0) ?? [];
    const random = seededRandom('board', 'planted image', id);
    for (let at = 0; at < Math.min(TRIES, rows.length); at++) {
      const row = rows[Math.floor(random() * rows.length)];
      if (row === undefined) continue;
      const { imageId, fileName, labelSha256 } = row;
      const image: PlantedImage = { imageId, fileName, labelSha256 };
      const taxonomy = this.desk.pool.taxonomy;
      const finding = plantedFinding(id, await this.#label(row), { like, image, taxonomy });
      if (finding !== null) return { finding, row };
    }
    return null;
  }

  /** The image of a known error that was shown. */
  rowOf(imageId: string): IndexRow | null {
    return this.#rows.get(imageId) ?? null;
  }

  /** The label of a known error, with the error in it. */
  async labelOf(planted: Planted): Promise<{ label: LabelMask; finding: FindingRow }> {
    const made = await this.made(planted);
    if (made === null) throw new PartloopError('not-found', `no label has a part for the finding ${planted.id}`);
    const { finding, row } = made;
    const label = await this.#label(row);
    return { label: { ...label, pixels: labelWithError(label, finding) }, finding };
  }

  async #label(row: IndexRow): Promise<LabelMask> {
    return decodeLabel(await readLabel(this.desk.store, row), `label of ${row.fileName}`);
  }
}
