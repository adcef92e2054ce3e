import { auditChances } from '../../scan/verdict/auditSample.js';
import type { ScanImageRow } from '../../tables.js';
import type { CertifiedImage } from './certificate.js';
import type { Facts } from './facts.js';

/** What a certificate needs of a judged image. */
export type JudgedRow = Pick<ScanImageRow, 'imageId' | 'labelSha256' | 'pMislabelled' | 'auditChance'>;

/** A finished scan with the images that it judged. */
export interface JudgedScan {
  scan: string;
  rows: readonly JudgedRow[];
}

/** The present label of an image. */
export interface PresentLabel {
  labelSha256: string;
  /** The time of the review that set it; null if something other than a standing review did. */
  reviewedAt: string | null;
}

export interface Population {
  images: CertifiedImage[];
  /** Ids of those that are not gone. */
  covered: Set<string>;
  /** The scans that they belong to, the newest first, with the images of their samples and the answered ones. */
  scans: { scan: string; images: number; drawn: number; answered: number }[];
}

/**
 * The images that scans judged, each with one scan: the newest one whose sample was answered at all, or else the newest
 * one with a sample. Images of a newer scan whose sample nobody has answered thus keep their older answers.
 *
 * @param scans the newest first
 * @param presentLabel null for an image that the pool has no longer
 */
export function populationOf(
  scans: readonly JudgedScan[],
  facts: Facts,
  presentLabel: (imageId: string) => PresentLabel | null,
): Population {
  const population: Population = { images: [], covered: new Set(), scans: [] };
  const taken = new Set<string>();
  const sampled = scans.flatMap(({ scan, rows }) => {
    const chances = chancesOf(rows);
    return chances === null ? [] : [{ scan, rows, chances, isAnswered: rows.some((row) => isAnswer(row, facts)) }];
  });
  for (const wanted of [true, false])
    for (const { scan, rows, chances, isAnswered } of sampled) {
      if (isAnswered !== wanted) continue;
      const own = rows.flatMap((row, at) => (taken.has(row.imageId) ? [] : [{ row, chance: chances[at] as number }]));
      for (const { row, chance } of own) {
        taken.add(row.imageId);
        const image = certifiedImage(row, chance, facts, presentLabel(row.imageId));
        population.images.push(image);
        if (image.now !== 'gone') population.covered.add(row.imageId);
      }
      const drawn = own.filter(({ row }) => row.auditChance !== null);
      const answered = drawn.filter(({ row }) => isAnswer(row, facts)).length;
      if (own.length > 0) population.scans.push({ scan, images: own.length, drawn: drawn.length, answered });
    }
  return population;
}

const isAnswer = ({ imageId, labelSha256, auditChance }: JudgedRow, facts: Facts): boolean =>
  auditChance !== null && facts.of(imageId, labelSha256) !== undefined;

/** Tables hold rounded probabilities; a draw whose chances differ by more was made in another way. */
const ROUNDING = 0.1;

/** The chance of every image, drawn or not; null if nothing was drawn, or in a way that is unknown here. */
function chancesOf(rows: readonly JudgedRow[]): number[] | null {
  const size = rows.filter(({ auditChance }) => auditChance !== null).length;
  if (size === 0) return null;
  const chances = auditChances(
    rows.map(({ pMislabelled }) => pMislabelled),
    size,
  );
  const isOther = rows.some(
    ({ auditChance }, at) => auditChance !== null && Math.abs((chances[at] as number) / auditChance - 1) > ROUNDING,
  );
  return isOther ? null : rows.map(({ auditChance }, at) => auditChance ?? (chances[at] as number));
}

function certifiedImage(row: JudgedRow, chance: number, facts: Facts, present: PresentLabel | null): CertifiedImage {
  const { imageId, labelSha256, pMislabelled: probability, auditChance } = row;
  const was = facts.of(imageId, labelSha256) ?? 'unknown';
  return { probability, chance, isDrawn: auditChance !== null, was, now: nowOf(row, was, facts, present) };
}

function nowOf(
  { imageId, labelSha256 }: JudgedRow,
  was: CertifiedImage['was'],
  facts: Facts,
  present: PresentLabel | null,
): CertifiedImage['now'] {
  if (present === null) return 'gone';
  if (present.labelSha256 === labelSha256) return was;
  const said = facts.of(imageId, present.labelSha256);
  if (said !== undefined) return said;
  if (present.reviewedAt === null) return 'gone';
  const objection = facts.uncorrected(imageId, labelSha256);
  return objection !== undefined && objection >= present.reviewedAt ? 'wrong' : 'right';
}
