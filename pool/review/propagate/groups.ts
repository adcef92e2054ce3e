import { pairOf } from '../../../domain/review/propagate/score.js';
import { findingClass } from '../../../domain/scan/findingClass.js';
import type { FindingRow } from '../../../domain/tables.js';
import { labelNames, type Taxonomy } from '../../../domain/taxonomy.js';

/** A correction that follows from answers. */
export interface Correction {
  finding: FindingRow;
  /** The chance that a reviewer would accept it, as the draw had it. */
  score: number;
}

/** Corrections of one kind with the same classes. */
export interface CorrectionGroup {
  kind: string;
  /** The present label, and the one that it gets. */
  from: string;
  to: string;
  corrections: number;
  images: number;
  /** Harmful ones to expect by their scores: an estimate, not the bound. */
  expectedHarmful: number;
}

/** Corrections by kind and classes, the most frequent first. */
export function groupCorrections(corrections: readonly Correction[], taxonomy: Taxonomy): CorrectionGroup[] {
  const names = labelNames(taxonomy);
  const groups = new Map<string, Correction[]>();
  for (const one of corrections) {
    const key = pairOf(one.finding);
    if (!groups.get(key)?.push(one)) groups.set(key, [one]);
  }
  return [...groups.values()]
    .flatMap((own): CorrectionGroup[] => {
      const [first] = own;
      if (first === undefined) return [];
      return [
        {
          kind: first.finding.kind,
          from: findingClass(first.finding, names),
          to: names[first.finding.suggestedClassId ?? 0] ?? '',
          corrections: own.length,
          images: new Set(own.map(({ finding }) => finding.imageId)).size,
          expectedHarmful: own.reduce((sum, { score }) => sum + 1 - score, 0),
        },
      ];
    })
    .sort((a, b) => b.corrections - a.corrections || (a.kind < b.kind ? -1 : 1));
}
