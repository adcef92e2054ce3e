import { isFaultOfImage } from '../../domain/images/leftOut.js';
import type { AuditAnswer } from '../../domain/review/auditAnswers.js';
import { latestVerdicts, type Verdict } from '../../domain/review/review.js';
import type { ReviewImport } from '../../domain/review/reviewImport.js';
import type { IndexRow } from '../../domain/tables.js';
import type { ManifestImage } from '../../formats/manifest.js';
import type { ObjectStore } from '../../storage/objects/objectStore.js';
import type { Pool } from '../../storage/pool/pool.js';
import type { Reviews } from '../../storage/reviews.js';
import type { Judged } from './judgeReturned.js';
import { type Recorded, recordReview } from './record.js';
import { type Revision, reviseLabels, type StoreLabel } from './revisions.js';

/** An image with an answer to its label. */
export interface ReturnedJob {
  imageId: string;
  image: ManifestImage;
  /**
   * @param rows all rows of the image in the pool's index, the oldest first
   * @throws PartloopError `data-invalid` if the answer cannot be taken: the image is refused with its message
   */
  judge(rows: readonly IndexRow[], storeLabel: StoreLabel): Promise<Judged & { revision: Revision | null }>;
}

export type Outcome = Judged | { kind: 'refused'; reason: string };

/** Answers to labels that come together: one import. */
export interface ReturnedTaken {
  /** The import's id. */
  id: string;
  about: Omit<ReviewImport, 'type' | 'at' | 'asked'>;
  /** The pool's reviews before it. */
  reviews: Reviews;
  jobs: readonly ReturnedJob[];
  now: Date;
  /** @param done images so far */
  onJudged(done: number): void;
}

/** Give labels their new revisions, and record the answers: what each image brought, and the whole import. */
export async function takeReturned(
  store: ObjectStore,
  pool: Pool,
  { id, about, reviews, jobs, now, onJudged }: ReturnedTaken,
): Promise<{ outcomes: Map<ManifestImage, Outcome>; recorded: Recorded }> {
  const outcomes = new Map<ManifestImage, Outcome>();
  const changes = await reviseLabels(
    store,
    pool,
    jobs,
    { change: 'review', changeId: id, now },
    async ({ image, judge }, rows, storeLabel) => {
      try {
        const { revision, ...outcome } = await judge(rows, storeLabel);
        outcomes.set(image, outcome);
        return revision;
      } catch (error) {
        if (!isFaultOfImage(error)) throw error;
        outcomes.set(image, { kind: 'refused', reason: error.message });
        return null;
      } finally {
        onJudged(outcomes.size);
      }
    },
  );
  const judged = [...outcomes.values()].filter((outcome) => outcome.kind !== 'refused');
  const record = {
    ...{ type: 'import' as const, at: now.toISOString(), ...about },
    asked: judged.flatMap(({ asked }) => asked ?? []),
  };
  return { outcomes, recorded: await recordReview(store, pool.name, id, record, changes, answersOf(judged, reviews)) };
}

/** A person's answer overrides the implication of an unchanged image. */
function answersOf(judged: readonly Judged[], said: Reviews): { verdicts: Verdict[]; audits: AuditAnswer[] } {
  const findings = latestVerdicts(said.verdicts);
  const audited = new Set(said.audits.map(({ scan, imageId }) => `${scan} ${imageId}`));
  const isFree = ({ kind }: Judged, isAnswered: boolean): boolean => kind !== 'unchanged' || !isAnswered;
  return {
    verdicts: judged.flatMap((one) => one.verdicts.filter(({ findingId }) => isFree(one, findings.has(findingId)))),
    audits: judged.flatMap((one) => {
      const { audit } = one;
      return audit !== null && isFree(one, audited.has(`${audit.scan} ${audit.imageId}`)) ? audit : [];
    }),
  };
}
