import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import { NON_RETRYABLE_CODES } from '../../../domain/base/failures/failure.js';
import { FROM } from '../../../domain/review/propagate/limits.js';
import type { Round } from '../../../domain/review/propagate/round.js';
import { reviewIdSchema, reviewImportSchema } from '../../../domain/review/reviewImport.js';
import type { IterationContext } from '../../../domain/steps.js';
import { keys } from '../../../storage/keys.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool } from '../../../storage/pool/pool.js';
import { appendReviews, type KnownImport, readReviews } from '../../../storage/reviews.js';
import { newestRound, scansWithRounds } from '../../../storage/rounds.js';
import { readJson } from '../../../storage/tables/json.js';
import { ulid } from '../../../storage/ulid.js';
import { revisedLabels } from '../repeats.js';
import { ask, NothingToAsk, proposalsOf } from './ask.js';
import { decide, plannedBy, recordOf } from './propagate.js';
import { propagations, readProposals, type ScanProposals } from './proposals.js';
import { writeCorrections } from './write.js';

/** What is written down before the first label: attempts that race or die write the same import. */
const planSchema = z.object({ review: reviewIdSchema, about: reviewImportSchema });
type Plan = z.infer<typeof planSchema>;

/**
 * Draw the questions of a scan that has just found its findings, as `scan.autoCorrect` asks. A scan draws once: a
 * retry finds its round. Null if nothing was asked for, or if no answers could lead to corrections.
 */
export async function drawQuestions(
  store: ObjectStore,
  context: IterationContext,
  { findings, isAlone, now }: { findings: string; isAlone: boolean; now: Date },
): Promise<{ asked: number; correctable: number } | null> {
  const { pool, scan: settings } = context.config;
  if (settings.autoCorrect !== 'propose' && settings.autoCorrect !== 'apply') return null;
  const id = isAlone ? context.loop : `${context.loop}:${context.iteration}`;
  const round =
    (await newestRound(store, pool, id)) ??
    (await drawn(store, { id, pool, findings }, settings.autoCorrectAlpha, settings.autoCorrectAnswers, now));
  return round === null ? null : { asked: round.strata.length, correctable: proposalsOf(round) };
}

async function drawn(
  store: ObjectStore,
  scan: { id: string; pool: string; findings: string },
  alpha: number,
  answers: number,
  now: Date,
): Promise<Round | null> {
  try {
    const { pool } = scan;
    return (await ask(store, { pool, scan, answers, alpha, from: FROM, now, unattended: true })).round;
  } catch (error) {
    if (error instanceof NothingToAsk) return null;
    throw error;
  }
}

/**
 * Write the corrections that follow from rounds which scans drew by themselves: of a loop those of its own scans, of a
 * scan outside loops those of all such scans. A round waits until each of its questions is answered; then it is settled
 * for good. What a person took back is not written again.
 */
export async function applyAnswered(
  store: ObjectStore,
  context: Pick<IterationContext, 'loop' | 'iteration' | 'config'>,
  { isAlone, now, onFault }: { isAlone: boolean; now: Date; onFault(scan: string, error: Error): void },
): Promise<void> {
  const { pool } = context.config;
  for (const scan of await scansWithRounds(store, pool)) {
    if (isAlone ? scan.includes(':') : !scan.startsWith(`${context.loop}:`)) continue;
    try {
      const round = await newestRound(store, pool, scan);
      if (round?.unattended && (await store.head(keys.roundDone(pool, scan, round.number))) === null)
        await settle(store, round, context, now);
    } catch (error) {
      // A scan that was deleted or damaged must not stop the loop.
      if (!(error instanceof PartloopError) || !NON_RETRYABLE_CODES.includes(error.code)) throw error;
      onFault(scan, error);
    }
  }
}

/** Labels that the corrections before this iteration's draw revised, whichever attempt at it wrote them. */
export async function countCorrected(
  store: ObjectStore,
  { loop, iteration, config }: Pick<IterationContext, 'loop' | 'iteration' | 'config'>,
): Promise<number> {
  const reviews = await readReviews(store, config.pool);
  const own = reviews.imports.filter(({ about }) => {
    const by = about?.propagation?.by;
    return by?.loop === loop && by.iteration === iteration;
  });
  if (own.length === 0) return 0;
  const revised = revisedLabels(reviews, await (await openPool(store, config.pool)).history());
  return own.reduce((sum, { id }) => sum + (revised.get(id) ?? 0), 0);
}

async function settle(
  store: ObjectStore,
  round: Round,
  { loop, iteration }: Pick<IterationContext, 'loop' | 'iteration'>,
  now: Date,
): Promise<void> {
  const { pool, scan } = round;
  let known = await readProposals(store, pool, scan);
  if (!isUndone(round, known)) {
    let before = importOf(round, known);
    if (before === undefined) {
      const { corrections, openQuestions } = decide(round, known);
      if (openQuestions > 0) return;
      if (corrections.length > 0) {
        const about = recordOf(round, known, corrections, now, { loop, iteration });
        const plan = await agreed(store, round, { review: ulid(now), about });
        await appendReviews(store, pool, plan.review, plan.about, []);
        known = await readProposals(store, pool, scan);
        before = importOf(round, known);
      }
    }
    const planned = plannedBy(before?.about?.propagation, known);
    if (before !== undefined) await writeCorrections(store, known, before.id, planned, now);
  }
  await store.putIfAbsent(keys.roundDone(pool, scan, round.number), '', 'text/plain');
}

/** The plan of whoever was first. */
async function agreed(store: ObjectStore, { pool, scan, number }: Round, plan: Plan): Promise<Plan> {
  const key = keys.roundPlan(pool, scan, number);
  const made = await store.putIfAbsent(key, JSON.stringify(planSchema.parse(plan)), 'application/json');
  return made === 'created' ? plan : readJson(store, key, planSchema);
}

const importOf = (round: Round, { reviews }: Pick<ScanProposals, 'reviews'>): KnownImport | undefined =>
  propagations(reviews).find(({ about }) => about?.propagation?.round === round.id);

const isUndone = (round: Round, { reviews }: Pick<ScanProposals, 'reviews'>): boolean =>
  reviews.imports.some(({ about, withdrawal }) => about?.propagation?.round === round.id && withdrawal !== null);
