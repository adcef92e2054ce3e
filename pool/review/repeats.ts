import { ulidTime } from '../../domain/base/ids.js';
import type { AuditAnswer } from '../../domain/review/auditAnswers.js';
import type { Verdict } from '../../domain/review/review.js';
import type { PoolHistory } from '../../storage/pool/poolHistory.js';
import type { KnownImport, Reviews } from '../../storage/reviews.js';
import { contentOf } from './earlier.js';

/**
 * Standing imports that brought nothing of their own: they revised no label, and other standing imports gave each of
 * their answers. Equal imports at the same moment leave such records, since none sees the others' answers.
 */
export function repeats(reviews: Reviews, history: PoolHistory): Set<string> {
  const revised = revisedLabels(reviews, history);
  const standing = reviews.imports.filter(({ withdrawal }) => withdrawal === null);
  // Of equal ones the one with rows counts, otherwise the oldest.
  const ranked = [...standing].sort(
    (a, b) => Number(revised.has(b.id)) - Number(revised.has(a.id)) || (a.id < b.id ? -1 : 1),
  );
  const found = new Set<string>();
  const given = new Set<string>();
  for (const one of ranked) {
    const answers = answersOf(one);
    if (!revised.has(one.id) && answers.every((answer) => given.has(answer))) found.add(one.id);
    for (const answer of answers) given.add(answer);
  }
  return found;
}

/** Repeats of one import, from the same source: their answers are withdrawn with it. */
export function repeatsOf(reviews: Reviews, review: string, history: PoolHistory): string[] {
  const original = reviews.imports.find(({ id }) => id === review);
  if (original === undefined || original.about === null) return [];
  const { exportId, tableSha256 } = original.about;
  const said = new Set([...answersOf(original), ...askedBy(original)]);
  const all = repeats(reviews, history);
  return reviews.imports
    .filter(({ id, about }) => id !== review && all.has(id) && about !== null)
    .filter(({ about }) => about?.exportId === exportId && about.tableSha256 === tableSha256)
    .filter((one) => [...answersOf(one), ...askedBy(one)].every((text) => said.has(text)))
    .map(({ id }) => id);
}

/** Number of labels that each import revised; imports without any are left out. */
export function revisedLabels({ imports }: Reviews, history: PoolHistory): Map<string, number> {
  const revised = new Map<string, number>();
  const times = new Map(imports.filter(({ about }) => about === null).map(({ id }) => [ulidTime(id), id]));
  for (const row of history.rows()) {
    const id = row.change === 'review' ? row.changeId : row.change === null ? times.get(row.ingestedAt) : undefined;
    if (id != null && row.labelRevision > 0) revised.set(id, (revised.get(id) ?? 0) + 1);
  }
  return revised;
}

/** Answers with the resulting label: an answer with another label is a different one. */
const answersOf = ({ verdicts, audits }: KnownImport): string[] =>
  [...verdicts, ...audits].map((answer) => `${contentOf(answer)} ${labelOf(answer) ?? ''}`);
const labelOf = (answer: Verdict | AuditAnswer): string | null => ('type' in answer ? null : answer.correctedSha256);
const askedBy = ({ about }: KnownImport): string[] =>
  (about?.asked ?? []).map(({ imageId, labelSha256 }) => `${imageId} ${labelSha256}`);
