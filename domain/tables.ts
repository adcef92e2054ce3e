import { z } from 'zod';
import { sha256Schema } from './base/ids.js';
import { tagsSchema } from './tags.js';

/**
 * The tables partloop keeps in Parquet. Columns are flat: text, numbers, booleans, lists of these; JSON text for the
 * rest.
 */

const count = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const json = z.string();

/** The reason for a row of the pool's index; null in older rows. */
export const INDEX_CHANGES = ['import', 'relabel', 'facts', 'review', 'undo', 'removal', 'restore'] as const;

/** One labelled image known to a pool. A later revision (higher `labelRevision`) of the same image wins. */
export const indexRowSchema = z.object({
  /** sha256 of the image file's bytes: the image's id everywhere. */
  imageId: sha256Schema,
  fileName: z.string().max(1_024),
  imageUri: z.string(),
  /** ETag and version of an image registered in place; later reads are conditional on them. */
  imageEtag: z.string().nullable(),
  imageVersion: z.string().nullable(),
  labelUri: z.string(),
  labelSha256: sha256Schema,
  /** Upright size in pixels, of image and label alike. */
  width: count,
  height: count,
  ...tagsSchema.shape,
  /** tag -> given | inferred, as JSON. */
  tagOrigins: json,
  vehicleId: z.string().nullable(),
  source: z.enum(['in-house', 'client']),
  split: z.enum(['train', 'val', 'test']),
  /** 64-bit difference hash as 16 hex digits: finds copies, not views. */
  perceptualHash: z.string().regex(/^[0-9a-f]{16}$/),
  /** Label values present, ascending, background left out. */
  classes: z.array(count),
  labelRevision: count,
  ingestedAt: z.string(),
  /**
   * import: new; relabel: another label from an import; facts: tags, vehicle or split; review and its undo; removal and
   * its end.
   */
  change: z.enum(INDEX_CHANGES).nullable().default(null),
  /** The source of the change, such as the id of a review import; null if there is none. */
  changeId: z.string().max(128).nullable().default(null),
  /** Time at which the image was removed from the pool; null if it is in it. */
  removedAt: z.string().nullable().default(null),
});
export type IndexRow = z.infer<typeof indexRowSchema>;

/** The columns that a draw needs of every image of a pool. */
export const drawRowSchema = indexRowSchema.pick({
  imageId: true,
  fileName: true,
  region: true,
  vehicleId: true,
  split: true,
  perceptualHash: true,
  labelRevision: true,
  removedAt: true,
});
export type DrawRow = z.infer<typeof drawRowSchema>;

/** What the tables of a scan need of every image of a pool. */
export const sizedRowSchema = drawRowSchema.extend({ width: count, height: count });

/** One image of a chunk: its index row and the group of near duplicates it belongs to. */
export const chunkRowSchema = indexRowSchema.extend({
  /** Id of the group of near duplicates and copies (smallest image id of the group). */
  cluster: sha256Schema,
});
export type ChunkRow = z.infer<typeof chunkRowSchema>;

/** The scan's results for one image. */
export const scanImageRowSchema = z.object({
  imageId: sha256Schema,
  fileName: z.string(),
  labelSha256: sha256Schema,
  /** 0..1, low is suspect. */
  labelQuality: share,
  /** Probability that the label is wrong somewhere (`PROBABILITIES` of `scan/probabilities.ts`). */
  pMislabelled: share,
  /** Set aside until reviewed. */
  quarantined: z.boolean(),
  /** Stays in training, but without the regions of its findings, until reviewed. */
  regionsIgnored: z.boolean(),
  kinds: z.array(z.string()),
  findings: count,
  /** Mean IoU of label and prediction over the classes in either, minor parts weighted up. */
  labelIou: share,
  /** 1 - label IoU with the components that have a finding left out: how hard the image is for the model. */
  hardness: share,
  /** label value -> IoU of label and prediction, as JSON. */
  classIou: json,
  /** Label values that the model sees, ascending. */
  predictedClasses: z.array(count),
  /**
   * Tags inferred from prediction and pixels, as JSON; never from the label under test, but for `region`: that of an
   * interior takes both, and no rule reads it.
   */
  inferredTags: json,
  /** Digest of the model that judged. */
  model: z.string(),
  /** The chance with which the image was drawn into the audit sample; null if it was not drawn. */
  auditChance: share.nullable(),
  /** The reason why the image could not be judged; null if it was. */
  error: z.string().nullable(),
});
export type ScanImageRow = z.infer<typeof scanImageRowSchema>;

export const FINDING_KINDS = [
  'missing_part',
  'extra_part',
  'wrong_class',
  'swapped',
  'mirrored',
  'shifted',
  'bad_outline',
  'merged_or_split',
  'empty_label',
  'duplicate_conflict',
  'unreadable',
  'hole',
  'impossible_view',
  'impossible_pair',
  'wrong_side',
  'odd_neighbours',
  'odd_size',
  'too_many',
] as const;
export const findingKindSchema = z.enum(FINDING_KINDS);
export type FindingKind = z.infer<typeof findingKindSchema>;

/** One suspect region of one label. Boxes are fractions of the upright image: x0, y0, x1, y1. */
export const findingRowSchema = z.object({
  findingId: z.string(),
  imageId: sha256Schema,
  fileName: z.string(),
  labelSha256: sha256Schema,
  kind: findingKindSchema,
  /** Present label value of the region (0 for a missing part). */
  classId: count,
  /** Proposed label value of the region; null if the kind has none. */
  suggestedClassId: count.nullable(),
  areaPx: count,
  areaShare: share,
  /** Probability that the label is wrong there (`PROBABILITIES` of `scan/probabilities.ts`). */
  pWrong: share,
  /** The same before reviewers' earlier verdicts moved it. */
  pModel: share,
  x0: share,
  y0: share,
  x1: share,
  y1: share,
  /** Features on which the probability rests, as JSON (`FEATURES` of `scan/features.ts`). */
  evidence: json,
  /**
   * The proposed correction: COCO uncompressed RLE on the model's grid, as JSON {size:[h,w],counts}; null if there is
   * none.
   */
  proposal: json.nullable(),
});
export type FindingRow = z.infer<typeof findingRowSchema>;

/** One pick of step sample. */
export const sampleRowSchema = z.object({
  imageId: sha256Schema,
  reason: z.enum(['random', 'need']),
  /** The drivers of the pick, for people: `angle 45 right: IoU 0.41, 0.8 % of the training set`. */
  why: z.string(),
  /** Combined selection probability; over the candidates these sum to the budget. */
  probability: share,
  need: z.number().nonnegative(),
  tagNeed: z.number().nonnegative(),
  hardness: share,
  rarity: z.number().nonnegative(),
});
export type SampleRow = z.infer<typeof sampleRowSchema>;

/** One image of the training set: its chunk row, the iteration of its pick, and boxes to ignore. */
export const trainingRowSchema = chunkRowSchema.extend({
  pickedIn: z.number().int().positive(),
});
export type TrainingRow = z.infer<typeof trainingRowSchema>;

/** Evaluation of one test image by one model; sums of these give every slice and every bootstrap. */
export const evaluationRowSchema = z.object({
  imageId: sha256Schema,
  fileName: z.string(),
  vehicleId: z.string().nullable(),
  ...tagsSchema.shape,
  /** Sparse confusion counts as flat triples: given, predicted, pixels. */
  confusion: z.array(count),
  /** Flat triples for the boundary band: class, intersection, union. */
  boundary: z.array(count),
  /** Mean IoU over classes in ground truth or prediction of this image. */
  imageMiou: share,
  /**
   * Flat groups of five by predicted class and bin of the network's probability: class, bin, pixels, sum of 255 ×
   * probability, pixels predicted rightly. Null in older tables.
   */
  calibration: z.array(count).nullable().default(null),
});
export type EvaluationRow = z.infer<typeof evaluationRowSchema>;
