import { seededRandom } from '../base/random.js';
import { wilsonInterval } from '../base/wilson.js';
import { resizeNearest } from '../geometry/resize.js';
import { encodeRle } from '../geometry/rle.js';
import type { Estimate } from '../review/auditAnswers.js';
import { applySuggestion, suggestionOf } from '../review/correction.js';
import { IN_PLACE, type PartError, partToSpoil } from '../scan/image/inject.js';
import { viewAlone } from '../scan/image/picture.js';
import type { FindingKind, FindingRow } from '../tables.js';
import type { Taxonomy } from '../taxonomy.js';
import type { PlantedAnswer } from './batch.js';
import type { QueueFinding } from './queue.js';

/** So many of the findings that a reviewer sees are known errors. */
const PLANTED_SHARE = 0.05;
/** Errors are looked for on a grid of this longer side, as the scan does. */
const GRID = 512;

const KINDS: ReadonlySet<FindingKind> = new Set(IN_PLACE);

/**
 * The id of the known error that comes after a finding, for one reviewer; null if none does. It looks like the id of a
 * finding, and is the same on each server and after each reload.
 */
export function plantedIdAfter(
  { findingId, kind, suggestedClassId }: Pick<QueueFinding, 'findingId' | 'kind' | 'suggestedClassId'>,
  { scan, reviewer }: { scan: string; reviewer: string },
): string | null {
  if (!KINDS.has(kind) || suggestedClassId === null || suggestedClassId === 0) return null;
  const random = seededRandom('board', 'planted', scan, reviewer, findingId);
  if (random() >= PLANTED_SHARE / (1 - PLANTED_SHARE)) return null;
  return Array.from({ length: 3 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}

/** A label, one value per pixel. */
interface Raster {
  pixels: Uint8Array;
  width: number;
  height: number;
}

/**
 * A finding of an error that is planted into a label: one part has another class in place, or none. It has the kind and
 * the classes of `like`, and its probability, so that it does not stand out where it is shown. Null if the label has no
 * part for it.
 */
export function plantedFinding(
  plantedId: string,
  label: Raster,
  { like, image, taxonomy }: { like: QueueFinding; image: PlantedImage; taxonomy: Taxonomy },
): FindingRow | null {
  const error = errorLike(like);
  if (error === null) return null;
  const scale = Math.min(1, GRID / Math.max(label.width, label.height));
  const width = Math.max(1, Math.round(label.width * scale));
  const height = Math.max(1, Math.round(label.height * scale));
  const view = viewAlone(
    resizeNearest(label.pixels, label.width, label.height, width, height),
    width,
    height,
    taxonomy,
  );
  const part = partToSpoil(view, error, seededRandom('board', 'planted', plantedId, image.imageId));
  if (part === null) return null;
  const { ids } = view.labelled.components;
  const proposal = { size: [height, width], counts: encodeRle((pixel) => ids[pixel] === part.id, part, width, height) };
  return {
    ...{ ...image, findingId: plantedId, kind: error.kind, classId: error.to, suggestedClassId: error.from },
    ...{ areaPx: part.area, areaShare: part.area / (width * height), pWrong: like.pWrong, pModel: like.pWrong },
    ...{ x0: part.x0 / width, y0: part.y0 / height, x1: part.x1 / width, y1: part.y1 / height },
    ...{ evidence: '{}', proposal: JSON.stringify(proposal) },
  };
}

/** The picture that an error is planted into, with its label. */
export type PlantedImage = Pick<FindingRow, 'imageId' | 'fileName' | 'labelSha256'>;

function errorLike({ kind, classId, suggestedClassId }: QueueFinding): PartError | null {
  const inPlace = IN_PLACE.find((one) => one === kind);
  if (inPlace === undefined || suggestedClassId === null) return null;
  return { kind: inPlace, from: suggestedClassId, to: classId };
}

/** The label with the error of a planted finding: the part has the class that the finding objects to. */
export function labelWithError({ pixels, width, height }: Raster, finding: FindingRow): Uint8Array {
  const suggestion = suggestionOf(finding);
  if (suggestion === null) return pixels;
  const { from, to, proposal } = suggestion;
  return applySuggestion(pixels, width, height, { from: to, to: from, proposal });
}

/** How many of the known errors that a reviewer decided on were recognised; null before the first. */
export interface Accuracy {
  /** Decided ones: without `unsure`. */
  decided: number;
  recognised: number;
  /** The share, with its interval. */
  share: Estimate;
}

/** `wrong` and `accept` recognise an error; `right` overlooks it. */
export function accuracyOf(answers: readonly PlantedAnswer[]): Accuracy | null {
  const said = answers.filter(({ verdict }) => verdict !== 'unsure');
  if (said.length === 0) return null;
  const recognised = said.filter(({ verdict }) => verdict !== 'right').length;
  const value = recognised / said.length;
  return { decided: said.length, recognised, share: { value, ...wilsonInterval(value, said.length) } };
}
