import { z } from 'zod';
import { PartloopError } from '../../../domain/base/errors.js';
import { parseText } from '../../../domain/base/jsonText.js';
import { suggestionOf } from '../../../domain/review/correction.js';
import { type Fate, fateOf } from '../../../domain/review/propagate/fate.js';
import type { Scored } from '../../../domain/review/propagate/score.js';
import { latestVerdicts, type Verdict } from '../../../domain/review/review.js';
import { type FindingRow, findingRowSchema } from '../../../domain/tables.js';
import type { ObjectStore } from '../../../storage/objects/objectStore.js';
import { openPool, type Pool } from '../../../storage/pool/pool.js';
import type { PoolHistory } from '../../../storage/pool/poolHistory.js';
import { type KnownImport, type Reviews, readReviews } from '../../../storage/reviews.js';
import { type FoundScan, findScan, poolScans } from '../../../storage/scans.js';
import { streamTable } from '../../../storage/tables/table.js';

/** A scan as far as its proposals need it; its results may not be recorded yet. */
export type ProposingScan = Pick<FoundScan, 'id' | 'pool' | 'findings'>;

/** A scan's proposals beside everything that was said of its pool. */
export interface ScanProposals {
  pool: Pool;
  scan: ProposingScan;
  history: PoolHistory;
  reviews: Reviews;
  /** Findings with a proposed mask, by id. */
  proposals: Map<string, FindingRow>;
  /** The last answer to each finding of the pool. */
  answers: Map<string, Verdict>;
  fate(finding: FindingRow): Fate;
}

/**
 * The proposals of a scan, or of the pool's newest.
 *
 * @throws PartloopError `not-found` if there is no such scan, `input-invalid` if it is of another pool
 */
export async function readProposals(
  store: ObjectStore,
  name: string,
  of: ProposingScan | string | null,
): Promise<ScanProposals> {
  const pool = await openPool(store, name);
  const scan = of === null ? ((await poolScans(store, name))[0] ?? null) : await given(store, of);
  if (scan === null)
    throw new PartloopError('not-found', `pool ${name} has no finished scan`, {
      hint: `\`partloop scan run --pool ${name}\` makes one.`,
    });
  if (scan.pool !== name)
    throw new PartloopError('input-invalid', `scan ${scan.id} is of pool \`${scan.pool}\`, not \`${name}\``);
  const proposals = new Map<string, FindingRow>();
  for await (const finding of streamTable(store, scan.findings, findingRowSchema))
    if (suggestionOf(finding) !== null) proposals.set(finding.findingId, finding);
  const reviews = await readReviews(store, name);
  const history = await pool.history();
  const isTable = tableReviews(reviews);
  const fate = (finding: FindingRow): Fate => fateOf(finding, history.revisions(finding.imageId), isTable);
  return { pool, scan, history, reviews, proposals, answers: latestVerdicts(reviews.verdicts), fate };
}

const given = async (store: ObjectStore, of: ProposingScan | string): Promise<ProposingScan> =>
  typeof of === 'string' ? findScan(store, of) : of;

/** Knows the reviews that only put proposals into labels. */
export function tableReviews({ imports }: Pick<Reviews, 'imports'>): (review: string) => boolean {
  const tables = new Set(imports.filter(({ about }) => about?.tableSha256 != null).map(({ id }) => id));
  return (review) => tables.has(review);
}

/** Standing imports of corrections that follow from answers. */
export function propagations({ imports }: Pick<Reviews, 'imports'>): KnownImport[] {
  return imports.filter(({ about, withdrawal }) => about?.propagation !== undefined && withdrawal === null);
}

const evidenceSchema = z.record(z.string(), z.unknown());

/** A finding as its score sees it; measurements that are no numbers are left out. */
export function scoredOf({ findingId, kind, classId, suggestedClassId, pModel, evidence }: FindingRow): Scored {
  const parsed = evidenceSchema.safeParse(parseText(evidence, `the evidence of finding ${findingId}`));
  const measured = Object.entries(parsed.data ?? {}).flatMap(([name, value]): [string, number][] =>
    typeof value === 'number' && Number.isFinite(value) ? [[name, value]] : [],
  );
  return { kind, classId, suggestedClassId, pModel, evidence: Object.fromEntries(measured) };
}
