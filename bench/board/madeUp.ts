import { say } from '../../cli/terminal/output.js';
import { scanRecordSchema } from '../../domain/scan/record.js';
import {
  type FindingKind,
  type FindingRow,
  findingRowSchema,
  type IndexRow,
  indexRowSchema,
  scanImageRowSchema,
} from '../../domain/tables.js';
import { carParts34 } from '../../domain/taxonomies/carParts34.js';
import { keys } from '../../storage/keys.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import { openPool } from '../../storage/pool/pool.js';
import { writeTable } from '../../storage/tables/table.js';
import { type Car, copyOf, makeCars, type Part, sha256 } from './pictures.js';

export const POOL = 'board';
/** Scans over the same tables, each of which the board opens as one of its own. */
export const SCANS = ['board-1', 'board-2', 'board-3', 'board-4'] as const;

const DIGEST = '0'.repeat(64);
/** Images whose picture is in the store: the board compares digests, and each has other bytes. */
const WITH_PICTURE = 600;
/** Of these, so many have no finding: examples of classes are taken from them. */
const EXAMPLES = 60;
/** Share of the other images that have findings. */
const SUSPECT = 0.8;
/** Findings of images with a picture come first in every order; the others are as probable and as large as this. */
const BEHIND = { pWrong: 0.5, areaShare: 0.01 } as const;
const FEATURES = 30;
const PICTURES_PER_VEHICLE = 3;
/** Kinds by their turn, as frequent as in scans of rendered cars. */
const KINDS = ['missing_part', 'wrong_class', 'missing_part', 'extra_part', 'bad_outline', 'odd_size'] as const;

/** Sizes of the made-up pool and its scan. */
export interface Sizes {
  images: number;
  findings: number;
  /** Side of the pictures and labels, pixels. */
  side: number;
}

/** A pool and its finished scans, as an import and a scan leave them. */
export async function makeScans(store: ObjectStore, { images, findings, side }: Sizes): Promise<void> {
  say(`rendering cars of ${side} pixels …`);
  const cars = await makeCars(store, POOL, side);
  await store.put(keys.taxonomy(POOL), JSON.stringify(carParts34), 'application/json');
  const withPicture = Math.min(WITH_PICTURE, Math.floor(images / 2));
  say(`writing ${withPicture} pictures, ${images} images and ${findings} findings …`);
  const ids: string[] = [];
  for (let at = 0; at < images; at++)
    ids.push(at < withPicture ? await putCopy(store, carOf(cars, at), at) : sha256(`image ${at}`));
  const rows = ids.map((imageId, at) => indexRow(imageId, at, carOf(cars, at), side));
  await (await openPool(store, POOL)).append(() => rows);
  const found = findingsOf(rows, cars, findings, withPicture);
  await writeTables(store, rows, cars, found, withPicture);
}

const carOf = (cars: readonly Car[], at: number): Car => cars[at % cars.length] as Car;

async function putCopy(store: ObjectStore, car: Car, at: number): Promise<string> {
  const bytes = copyOf(car, at);
  const imageId = sha256(bytes);
  await store.put(keys.image(POOL, imageId), bytes, 'image/jpeg');
  return imageId;
}

const indexRow = (imageId: string, at: number, { labelUri, labelSha256, tags, classes }: Car, side: number): IndexRow =>
  indexRowSchema.parse({
    ...{ imageId, fileName: `client-${at % 97}/${at}.jpg`, imageUri: keys.image(POOL, imageId) },
    ...{ imageEtag: null, imageVersion: null, labelUri, labelSha256, width: side, height: side },
    ...tags,
    tagOrigins: JSON.stringify({ angle: 'given', vehicle: 'given' }),
    ...{ vehicleId: `vehicle-${Math.floor(at / PICTURES_PER_VEHICLE)}`, source: 'client', split: 'train' },
    ...{ perceptualHash: sha256(`hash ${at}`).slice(0, 16), classes, labelRevision: 0 },
    ingestedAt: '2026-01-01T00:00:00.000Z',
  });

/** Findings spread over the suspect images; those of images with a picture are the most probable ones. */
function findingsOf(rows: readonly IndexRow[], cars: readonly Car[], count: number, withPicture: number): FindingRow[] {
  const suspect = [
    ...range(0, Math.max(1, withPicture - EXAMPLES)),
    ...range(withPicture, withPicture + Math.floor(SUSPECT * (rows.length - withPicture))),
  ];
  return Array.from({ length: count }, (_, number) => {
    const at = suspect[number % suspect.length] ?? 0;
    return findingRow(number, rows[at] as IndexRow, carOf(cars, at), at < withPicture);
  });
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

function findingRow(number: number, image: IndexRow, { parts }: Car, hasPicture: boolean): FindingRow {
  const part = parts[number % parts.length] as Part;
  const other = parts[(number + 1) % parts.length] as Part;
  const kind = KINDS[number % KINDS.length] ?? 'missing_part';
  const spread = Number.parseInt(sha256(`p ${number}`).slice(0, 8), 16) / 2 ** 32;
  const pWrong = hasPicture ? BEHIND.pWrong + (1 - BEHIND.pWrong) * spread : BEHIND.pWrong * spread;
  return findingRowSchema.parse({
    findingId: sha256(`finding ${number}`).slice(0, 26),
    ...{ imageId: image.imageId, fileName: image.fileName, labelSha256: image.labelSha256, kind },
    ...classesOf(kind, part.value, other.value),
    areaPx: Math.round(part.areaShare * image.width * image.height),
    areaShare: part.areaShare * (hasPicture ? 1 : BEHIND.areaShare),
    ...{ pWrong, pModel: pWrong, ...part.box, evidence: evidenceOf(spread), proposal: part.proposal },
  });
}

function classesOf(kind: FindingKind, value: number, other: number): Pick<FindingRow, 'classId' | 'suggestedClassId'> {
  if (kind === 'missing_part') return { classId: 0, suggestedClassId: value };
  if (kind === 'wrong_class') return { classId: value, suggestedClassId: other };
  return { classId: value, suggestedClassId: kind === 'extra_part' ? 0 : null };
}

const evidenceOf = (seed: number): string =>
  JSON.stringify(Object.fromEntries(range(0, FEATURES).map((at) => [`feature${at}`, (seed * (at + 1)) % 1])));

async function writeTables(
  store: ObjectStore,
  rows: readonly IndexRow[],
  cars: readonly Car[],
  findings: readonly FindingRow[],
  withPicture: number,
): Promise<void> {
  const counts = new Map<string, number>();
  for (const { imageId } of findings) counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
  const folder = `${keys.scanPrefix(SCANS[0])}tables/`;
  const outputs = {
    ...{ images: `${folder}images.parquet`, findings: `${folder}findings.parquet` },
    summary: `${folder}summary.json`,
  };
  const judged = rows.map(({ imageId, fileName, labelSha256 }, at) => {
    const iou = at < withPicture ? 0.99 : 0.5;
    const found = counts.get(imageId) ?? 0;
    // Neither examples nor known errors are taken from images that are set aside: their pictures are not in the store.
    const quarantined = at >= withPicture && found === 0;
    return scanImageRowSchema.parse({
      ...{ imageId, fileName, labelSha256, labelQuality: 0.5, pMislabelled: 0.5, quarantined },
      ...{ regionsIgnored: false, kinds: [], findings: found, labelIou: iou, hardness: 1 - iou },
      classIou: JSON.stringify(Object.fromEntries(carOf(cars, at).classes.map((value) => [value, iou]))),
      predictedClasses: carOf(cars, at).classes,
      ...{ inferredTags: '{}', model: DIGEST, auditChance: null, error: null },
    });
  });
  await writeTable(store, outputs.images, judged, scanImageRowSchema);
  await writeTable(store, outputs.findings, findings, findingRowSchema);
  await store.put(outputs.summary, '{}', 'application/json');
  const result = { step: 'scan', digest: DIGEST, outcome: 'miss', outputs, facts: {}, seconds: 1 };
  for (const scan of SCANS) {
    const record = scanRecordSchema.parse({
      ...{ version: 1, scan, pool: POOL, poolVersion: 1, taxonomyDigest: DIGEST, chunk: `${folder}chunk.parquet` },
      ...{ result, finishedAt: '2026-01-01T00:00:00.000Z' },
    });
    await store.put(keys.scan(scan), JSON.stringify(record), 'application/json');
  }
}
