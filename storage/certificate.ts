import { type Certificate, type CertifiedImage, certify } from '../domain/review/certificate/certificate.js';
import { factsOf } from '../domain/review/certificate/facts.js';
import { type Population, type PresentLabel, populationOf } from '../domain/review/certificate/population.js';
import { setterOf } from '../domain/review/labelHistory.js';
import { notJudged } from '../domain/scan/counts.js';
import { scanImageRowSchema } from '../domain/tables.js';
import type { ObjectStore } from './objects/objectStore.js';
import type { Pool } from './pool/pool.js';
import type { PoolHistory } from './pool/poolHistory.js';
import { readReviews, withdrawnIn } from './reviews.js';
import { readTable } from './tables/table.js';

const judgedRowSchema = scanImageRowSchema.pick({
  ...{ imageId: true, labelSha256: true, pMislabelled: true, auditChance: true, error: true, kinds: true },
});

export interface PoolCertificate extends Pick<Population, 'scans'> {
  /** Null while no image of a sample was answered. */
  certificate: Certificate | null;
  /** What it was made of. */
  images: CertifiedImage[];
  /** Images of the pool that it says nothing of, and those of the test split among them. */
  notCovered: { images: number; test: number };
}

/**
 * The certificate of a pool by scans of it, from all answers and labels that there are now.
 *
 * @param scans names and tables of images, the newest first
 */
export async function certifyPool(
  store: ObjectStore,
  pool: Pool,
  scans: readonly { id: string; images: string }[],
): Promise<PoolCertificate> {
  const reviews = await readReviews(store, pool.name);
  const history = await pool.history();
  const isWithdrawn = withdrawnIn(reviews);
  const judged = [];
  for (const { id, images } of scans) {
    const rows = await readTable(store, images, judgedRowSchema);
    judged.push({ scan: id, rows: rows.filter((row) => notJudged(row) === null) });
  }
  const { covered, ...population } = populationOf(judged, factsOf(reviews.verdicts, reviews.audits), (imageId) =>
    presentLabel(history, imageId, isWithdrawn),
  );
  const notCovered = { images: 0, test: 0 };
  for (const { imageId, split } of history.present()) {
    if (covered.has(imageId)) continue;
    notCovered.images += 1;
    if (split === 'test') notCovered.test += 1;
  }
  return { ...population, certificate: certify(population.images), notCovered };
}

function presentLabel(
  history: PoolHistory,
  imageId: string,
  isWithdrawn: ReturnType<typeof withdrawnIn>,
): PresentLabel | null {
  const rows = history.revisions(imageId);
  const row = rows.at(-1);
  if (row === undefined || row.removedAt !== null) return null;
  if (rows.length === 1) return { labelSha256: row.labelSha256, reviewedAt: null };
  const setter = setterOf(rows, rows.length - 1, isWithdrawn);
  const isReviewed = setter.row.change === 'review' && !setter.isWithdrawn;
  return { labelSha256: row.labelSha256, reviewedAt: isReviewed ? setter.row.ingestedAt : null };
}
