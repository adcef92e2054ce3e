import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import { scanRecordSchema } from '../../../domain/scan/record.js';
import { findingRowSchema, type IndexRow, scanImageRowSchema } from '../../../domain/tables.js';
import { manifestPath } from '../../../formats/manifest.js';
import { type ImportItem, NO_FACTS } from '../../../formats/reading/importItem.js';
import { importImages } from '../../../pool/import/importImages.js';
import { removeImages, restoreImages } from '../../../pool/remove/removeImages.js';
import { exportForReview } from '../../../pool/review/exportReview.js';
import { importLabels } from '../../../pool/review/importLabels.js';
import { reviewImports } from '../../../pool/review/reviewImports.js';
import { undoReview } from '../../../pool/review/undoReview.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { decodeLabel, encodeLabel } from '../../../storage/pictures/labelMask.js';
import { openPool } from '../../../storage/pool/pool.js';
import type { PoolHistory } from '../../../storage/pool/poolHistory.js';
import { readReviews } from '../../../storage/reviews.js';
import { writeTable } from '../../../storage/tables/table.js';
import { scanRow } from '../../domain/sample/rows.js';
import { picture, TAXONOMY } from '../../support/pictures/pictures.js';

export const POOL = 'cars';
export const IMAGES = 3;
const WIDTH = 24;
const HEIGHT = 16;
const DIGEST = 'd'.repeat(64);

/** One thing that a person does to a pool. */
export type Deed =
  | { do: 'import'; labels: number[]; relabel: boolean; restore: boolean }
  | { do: 'export' }
  | { do: 'correct'; from: number; image: number; value: number }
  | { do: 'return again' }
  /** Of the reviews that stand, counted from the newest one. */
  | { do: 'undo'; which: number }
  | { do: 'remove'; image: number }
  | { do: 'restore'; image: number };

/** Labels of an import: one value per image, 0 if the image is not in the file. */
const labels = fc.array(fc.nat(3), { minLength: IMAGES, maxLength: IMAGES });

export const deeds = (maxLength: number): fc.Arbitrary<Deed[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ do: fc.constant('import' as const), labels, relabel: rarely(), restore: rarely() }),
      },
      { weight: 3, arbitrary: fc.constant({ do: 'export' as const }) },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('correct' as const),
          from: fc.nat(4),
          image: fc.nat(IMAGES - 1),
          value: fc.integer({ min: 1, max: 3 }),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ do: 'return again' as const }) },
      { weight: 5, arbitrary: fc.record({ do: fc.constant('undo' as const), which: fc.constantFrom(0, 0, 1, 2) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), image: fc.nat(IMAGES - 1) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), image: fc.nat(IMAGES - 1) }) },
    ),
    { minLength: 1, maxLength },
  );

const rarely = (): fc.Arbitrary<boolean> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });

/** Codes with which a deed may be refused: nobody scanned yet, nothing to undo, nothing exported. */
const REFUSALS = new Set(['not-found', 'input-invalid', 'data-invalid']);

/** A person at a pool, with their exports and the latest returned file. */
export class Person {
  private readonly exports: string[] = [];
  private lastReturned: string | null = null;
  private clock = 0;

  private constructor(
    readonly name: string,
    private readonly store: ObjectStore,
    private readonly folder: string,
  ) {}

  static async at(store: ObjectStore, name: string): Promise<Person> {
    return new Person(name, store, await mkdtemp(join(tmpdir(), 'pl-person-')));
  }

  leave(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** Do one thing; refusals in plain words are fine. */
  async act(deed: Deed): Promise<'done' | 'refused'> {
    try {
      await this.attempt(deed);
      return 'done';
    } catch (error) {
      if (error instanceof PartloopError && REFUSALS.has(error.code)) return 'refused';
      throw error;
    }
  }

  async history(): Promise<PoolHistory> {
    return (await openPool(this.store, POOL)).history();
  }

  private async attempt(deed: Deed): Promise<void> {
    switch (deed.do) {
      case 'import':
        await importImages(this.store, POOL, TAXONOMY, items(deed.labels), {
          relabel: deed.relabel,
          restore: deed.restore,
          onProgress: () => undefined,
          now: this.now(),
        });
        return;
      case 'export':
        this.exports.push(await this.exportAll());
        return;
      case 'correct':
        return this.correct(deed);
      case 'return again':
        if (this.lastReturned !== null) await this.returnLabels(this.lastReturned);
        return;
      case 'undo':
        return this.undo(deed.which);
      case 'remove':
      case 'restore': {
        const pool = await openPool(this.store, POOL);
        const row = rowOf(await pool.history(), deed.image);
        if (row === undefined) return;
        if (deed.do === 'remove') await removeImages(pool, [row.imageId], { purge: false, now: this.now() });
        else await restoreImages(pool, [row.imageId], this.now());
      }
    }
  }

  private async undo(which: number): Promise<void> {
    const request = { pool: POOL, now: this.now() };
    if (which === 0) return void (await undoReview(this.store, request));
    const imports = reviewImports(await readReviews(this.store, POOL), await this.history());
    const standing = imports.filter(({ undoneAt, isRepeat }) => undoneAt === null && !isRepeat);
    const review = standing[which % standing.length];
    if (review !== undefined) await undoReview(this.store, { ...request, review: review.id });
  }

  /** A scan of all images as they are, exported whole as index masks. */
  private async exportAll(): Promise<string> {
    const pool = await openPool(this.store, POOL);
    const poolVersion = await pool.latestVersion();
    const scan = `scan-${this.name}-${this.exports.length}`;
    const rows = (await pool.readIndex(poolVersion)).map(({ imageId, fileName, labelSha256 }, at) => ({
      ...scanRow(at, { labelSha256 }),
      ...{ imageId, fileName },
    }));
    const outputs = { images: `${scan}-images`, findings: `${scan}-findings`, summary: `${scan}-summary` };
    await writeTable(this.store, outputs.images, rows, scanImageRowSchema);
    await writeTable(this.store, outputs.findings, [], findingRowSchema);
    const result = { step: 'scan', digest: DIGEST, outcome: 'miss', outputs, facts: {}, seconds: 1 };
    const record = scanRecordSchema.parse({
      ...{ version: 1, scan, pool: POOL, poolVersion, taxonomyDigest: DIGEST, chunk: 'chunk', result },
      finishedAt: this.now().toISOString(),
    });
    await this.store.put(keys.scan(scan), JSON.stringify(record));
    const out = join(this.folder, scan);
    await exportForReview(this.store, {
      ...{ scan, format: 'masks', out, imageRoot: null, allClasses: true, allImages: true, simplifyPx: 0 },
      ...{ now: this.now(), onProgress: () => undefined },
    });
    return out;
  }

  /** Paint three rows of one mask of an export with a class, and take it back in. */
  private async correct({ from, image, value }: Extract<Deed, { do: 'correct' }>): Promise<void> {
    const out = this.exports[from % Math.max(1, this.exports.length)];
    if (out === undefined) return;
    const manifest = manifestSchema.parse(JSON.parse(await readFile(manifestPath(out), 'utf8')));
    const name = manifest.images.find((entry) => entry.name.startsWith(`${image}.`))?.name;
    const masks = join(out, 'masks');
    const file = (await readdir(masks)).find((entry) => name !== undefined && entry.startsWith(`${image}.`));
    if (file === undefined) return;
    const { pixels } = await decodeLabel(await readFile(join(masks, file)));
    pixels.fill(value, 0, 3 * WIDTH);
    await writeFile(join(masks, file), await encodeLabel(pixels, WIDTH, HEIGHT));
    this.lastReturned = out;
    await this.returnLabels(out);
  }

  private async returnLabels(path: string): Promise<void> {
    await importLabels(this.store, {
      ...{ path, reviewer: this.name, unchanged: null, empty: null, fillHoles: true },
      ...{ now: this.now(), onProgress: () => undefined },
    });
  }

  private now(): Date {
    return new Date(Date.UTC(2026, 0, 1) + 1000 * this.clock++);
  }
}

const manifestSchema = z.looseObject({ images: z.array(z.looseObject({ name: z.string() })) });

function items(values: readonly number[]): ImportItem[] {
  return values.flatMap((value, image) =>
    value === 0
      ? []
      : {
          fileName: `${image}.jpg`,
          image: { kind: 'bytes' as const, read: () => picture(image) },
          // The lower rows tell images apart, the upper ones are what people correct.
          label: async () => ({ pixels: new Uint8Array(WIDTH * HEIGHT).fill(value), notes: [] }),
          facts: NO_FACTS,
        },
  );
}

export const rowOf = (history: PoolHistory, image: number): IndexRow | undefined =>
  [...history.rows()].find(({ fileName }) => fileName === `${image}.jpg`);

/**
 * Conditions that hold for a pool whatever people did to it.
 *
 * @param before rows that somebody saw earlier
 * @param asked whether anybody asked for labels to be replaced in every case
 */
export async function checkHistory(
  store: ObjectStore,
  before: readonly IndexRow[],
  { asked }: { asked: boolean },
): Promise<IndexRow[]> {
  const history = await (await openPool(store, POOL)).history();
  const rows = [...history.rows()];
  const byRevision = new Map(rows.map((row) => [`${row.imageId} ${row.labelRevision}`, row]));
  assert.equal(byRevision.size, rows.length, 'two rows have one revision');
  for (const row of before)
    assert.deepEqual(byRevision.get(`${row.imageId} ${row.labelRevision}`), row, 'a revision was lost or changed');
  for (const { labelUri } of rows) assert.ok(await store.head(labelUri), `label ${labelUri} of a revision is gone`);
  for (const imageId of new Set(rows.map((row) => row.imageId))) checkImage(history.revisions(imageId), asked);
  return rows;
}

function checkImage(revisions: readonly IndexRow[], asked: boolean): void {
  for (const [at, row] of revisions.entries()) {
    const before = revisions[at - 1];
    if (before === undefined) continue;
    assert.equal(row.labelRevision, before.labelRevision + 1, 'a revision is missing');
    if (row.change === 'facts' || row.change === 'removal')
      assert.equal(row.labelSha256, before.labelSha256, `${row.change} changed a label`);
    const origin = revisions.find(({ labelSha256 }) => labelSha256 === before.labelSha256);
    if (origin?.change === 'review' && !asked) assert.notEqual(row.change, 'relabel', 'an import undid a review');
  }
}
