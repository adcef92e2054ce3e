import type { z } from 'zod';
import { findingClass } from '../domain/scan/findingClass.js';
import { findingRowSchema, type SampleRow } from '../domain/tables.js';
import { labelNames, type Taxonomy } from '../domain/taxonomy.js';
import type { ReportData } from './data.js';

// The parts of an iteration's rows that the report counts and shows.

const FINDING_PICTURES = 24;
const FINDINGS_A_KIND = 6;
const PICK_PICTURES = 10;

/** What is counted and chosen by; without evidence and proposals, which make up most of a table of findings. */
export const toldFindingSchema = findingRowSchema.pick({
  ...{ findingId: true, imageId: true, kind: true, classId: true, suggestedClassId: true, pWrong: true },
});
export type ToldFinding = z.infer<typeof toldFindingSchema>;

/** Findings by kind, the most frequent first, and the number of their images that are set aside. */
export function countKinds(
  findings: readonly ToldFinding[],
  quarantined: ReadonlySet<string>,
): ReportData['detection']['kinds'] {
  const kinds = [...new Set(findings.map((finding) => finding.kind))];
  return kinds
    .map((kind) => {
      const own = findings.filter((finding) => finding.kind === kind);
      const images = new Set(own.map((finding) => finding.imageId));
      return {
        kind,
        findings: own.length,
        images: images.size,
        quarantined: [...images].filter((imageId) => quarantined.has(imageId)).length,
      };
    })
    .sort((a, b) => b.findings - a.findings || (a.kind < b.kind ? -1 : 1));
}

/** Findings by the class that they suggest or, without one, that they are about. */
export function countClasses(
  findings: readonly ToldFinding[],
  taxonomy: Taxonomy,
): { name: string; findings: number }[] {
  const names = labelNames(taxonomy);
  const named = findings.map((finding) => names[finding.suggestedClassId || -1] ?? findingClass(finding, names));
  return countBy(named).map(([name, count]) => ({ name, findings: count }));
}

/** Reasons by the driver of the pick; rare classes have a separate table. */
export function countReasons(picks: readonly SampleRow[]): { why: string; count: number }[] {
  return countBy(picks.map((pick) => pick.why.split(';')[0] ?? pick.why)).map(([why, count]) => ({ why, count }));
}

function countBy(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

/** The most probable findings: one per image and a few per kind, so that every kind is shown. */
export function mostSuspect(findings: readonly ToldFinding[]): ToldFinding[] {
  const images = new Set<string>();
  const kinds = new Map<string, number>();
  return findings
    .toSorted((a, b) => b.pWrong - a.pWrong || (a.findingId < b.findingId ? -1 : 1))
    .filter(({ imageId, kind }) => {
      const ofKind = kinds.get(kind) ?? 0;
      if (images.has(imageId) || ofKind >= FINDINGS_A_KIND) return false;
      images.add(imageId);
      kinds.set(kind, ofKind + 1);
      return true;
    })
    .slice(0, FINDING_PICTURES);
}

/** The picks that the model needs most. */
export function neediest(picks: readonly SampleRow[]): SampleRow[] {
  return picks
    .filter((pick) => pick.reason === 'need')
    .toSorted((a, b) => b.need - a.need || (a.imageId < b.imageId ? -1 : 1))
    .slice(0, PICK_PICTURES);
}
