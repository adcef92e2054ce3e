import { PartloopError } from '../../domain/base/errors.js';
import { type Manifest, type ManifestImage, type ReviewFormat, readManifest } from '../../formats/manifest.js';
import { openReturned } from '../../formats/reading/readers.js';
import type { Returned, ReturnedImage } from '../../formats/reading/returned.js';
import { partClasses } from '../../formats/writer.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { readReviews } from '../../storage/reviews.js';
import { ulid } from '../../storage/ulid.js';
import { earlierReviews } from './earlier.js';
import { joinImages } from './joinImages.js';
import { type Judged, judgeReturned } from './judgeReturned.js';
import type { Recorded } from './record.js';
import { type Outcome, type ReturnedJob, takeReturned } from './takeReturned.js';

export interface LabelImport {
  /** The returned file or unpacked folder. */
  path: string;
  /** The export's manifest, if it is not beside `path`. */
  manifest?: string;
  /** The import is refused if the export is of another pool. */
  pool?: string;
  reviewer: string | null;
  /** Meaning of an unchanged image: its label is right, or nobody has looked. */
  unchanged: 'right' | null;
  /** Meaning of an image without any shape: all were deleted, or nobody has looked. */
  empty: 'deleted' | null;
  /** Count every filled hole as a correction. */
  fillHoles: boolean;
  now: Date;
  onProgress(done: number): void;
}

interface Named {
  imageId: string;
  fileName: string;
}

export interface LabelImportReport extends Recorded {
  pool: string;
  exportId: string;
  format: ReviewFormat;
  exported: number;
  /** Returned images of the export that could be read. */
  returned: number;
  changed: number;
  unchanged: number;
  /** Corrected in the same way by an earlier import, or corrected further by people since. */
  known: number;
  /** Images with labels that came back empty and were held back. */
  empty: Named[];
  refused: (Named & { reason: string })[];
  /** Images of the export that did not come back. */
  missing: Named[];
  /** Images matched only by the last part of a path: the returned one may be another picture of that name. */
  byLastPart: (Named & { returned: string })[];
  /** Files that were not taken, since the last part of their path matches several images of the export. */
  ambiguous: { returned: string; images: Named[] }[];
  /** Names of images that were never exported. */
  strangers: string[];
  /** Exported classes that the file does not know: their regions stay as they are. */
  classesNotInFile: string[];
  /** Losses of tools that the pool kept. */
  loss: { holes: number; holePixels: number; edgePixels: number };
}

/**
 * Take corrected labels from an annotation tool into the pool: each changed image gets a new label revision, each
 * finding that was acted on gets the verdict "wrong". A returned file that tells nothing about a region changes nothing
 * there. Images are matched by our ids, otherwise by names; sizes are checked; missing images are listed.
 *
 * @throws PartloopError `input-invalid` if the file, its manifest and the pool do not fit each other
 */
export async function importLabels(store: ObjectStore, request: LabelImport): Promise<LabelImportReport> {
  const { path, now, reviewer } = request;
  const manifest = await readManifest(path, request.manifest);
  if (request.pool !== undefined && request.pool !== manifest.pool)
    throw new PartloopError('input-invalid', `the export is of pool \`${manifest.pool}\`, not \`${request.pool}\``);
  const opened = await openReturned(path);
  const returned = await opened.read(opened.path, manifest);
  refuseOtherExport(manifest, returned, path);
  const joined = joinImages(manifest, returned);
  const pool = await openPool(store, manifest.pool);
  const source = { exportId: manifest.exportId, tableSha256: null };
  const reviews = await readReviews(store, pool.name);
  const earlier = earlierReviews(reviews, source);

  const context = { store, pool, manifest, returned, earlier, request, format: opened.format };
  const jobs = [...joined.images, ...joined.listed.map((image) => ({ image, found: nothingOf(image) }))].map(
    ({ image, found }): ReturnedJob => ({
      ...{ imageId: image.imageId, image },
      judge: (rows, storeLabel) => judgeReturned(context, image, found, rows, storeLabel),
    }),
  );
  const { outcomes, recorded } = await takeReturned(store, pool, {
    ...{ id: ulid(now), about: { reviewer, scan: manifest.scan, ...source }, reviews, jobs, now },
    onJudged: request.onProgress,
  });
  for (const { image, names } of joined.twice)
    outcomes.set(image, { kind: 'refused', reason: `it came back ${names.length} times: as ${names.join(', ')}` });

  const all = [...outcomes.values()];
  const judged = all.filter((outcome): outcome is Judged => outcome.kind !== 'refused');
  const named = (kind: Outcome['kind']): ManifestImage[] =>
    manifest.images.filter((image) => outcomes.get(image)?.kind === kind);
  const count = (kind: Outcome['kind']): number => all.filter((outcome) => outcome.kind === kind).length;
  return {
    ...{ pool: pool.name, exportId: manifest.exportId, format: opened.format, exported: manifest.images.length },
    ...{ returned: judged.length, changed: count('changed'), unchanged: count('unchanged'), known: count('known') },
    empty: named('empty').map(toNamed),
    refused: named('refused').map((image) => ({ ...toNamed(image), reason: reasonOf(outcomes.get(image)) })),
    missing: manifest.images.filter((image) => !outcomes.has(image)).map(toNamed),
    byLastPart: joined.images
      .filter(({ byLastPart }) => byLastPart)
      .map(({ image, found }) => ({ ...toNamed(image), returned: found.name })),
    ambiguous: joined.ambiguous.map(({ name, images }) => ({ returned: name, images: images.map(toNamed) })),
    strangers: joined.strangers,
    classesNotInFile: classesNotIn(returned, jobs, manifest),
    loss: {
      holes: sum(judged, ({ holes }) => holes.count),
      holePixels: sum(judged, ({ holes }) => holes.pixels),
      edgePixels: sum(judged, ({ edgePixels }) => edgePixels),
    },
    ...recorded,
  };
}

/** With another export's manifest, a file seems to lack images that it never had. */
function refuseOtherExport({ exportId }: Manifest, { images }: Returned, path: string): void {
  const others = new Set(images.map((image) => image.exportId ?? exportId));
  if (others.size === 0 || others.has(exportId)) return;
  throw new PartloopError('input-invalid', `${path} is of export ${[...others].join(', ')}, not of ${exportId}`, {
    hint: 'Name the manifest.json of its own export with --manifest FILE.',
  });
}

/** A picture that is listed without a label. */
const nothingOf = ({ name, width, height }: ManifestImage): ReturnedImage => ({
  name,
  imageId: null,
  read: async () => ({ raster: new Uint8Array(width * height), polygons: false }),
});

const toNamed = ({ imageId, name }: ManifestImage): Named => ({ imageId, fileName: name });
const reasonOf = (outcome: Outcome | undefined): string => (outcome?.kind === 'refused' ? outcome.reason : '');
const sum = (judged: readonly Judged[], value: (one: Judged) => number): number =>
  judged.reduce((so, one) => so + value(one), 0);

function classesNotIn({ classes }: Returned, jobs: readonly ReturnedJob[], manifest: Manifest): string[] {
  if (classes === null) return [];
  const exported = new Set(jobs.flatMap(({ image }) => image.exported));
  return partClasses(manifest.classes)
    .filter(({ value }) => exported.has(value) && !classes.has(value))
    .map(({ name }) => name);
}
