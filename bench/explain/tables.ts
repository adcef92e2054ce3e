import type { JudgedImage } from '../../domain/scan/calibrate/calibrate.js';
import type { Explanation } from '../../domain/scan/calibrate/explanation.js';
import { sigmoid } from '../../domain/scan/calibrate/statistics/logistic.js';
import type { Taxonomy } from '../../domain/taxonomy.js';
import { fixed, markdownTable } from '../results.js';

/** The candidates of an image, most probable first. */
export function candidateTable({ candidates }: JudgedImage, taxonomy: Taxonomy): string {
  return markdownTable(
    [...candidates]
      .sort((a, b) => b.pOwnError - a.pOwnError)
      .map(({ candidate, pModel, pOwnError }) => ({
        kind: candidate.kind,
        labelled: nameOf(candidate.classId, taxonomy),
        suggested: candidate.suggestedClassId === null ? null : nameOf(candidate.suggestedClassId, taxonomy),
        pixels: candidate.area,
        pModel: fixed(pModel),
        pOwnError: fixed(pOwnError),
      })),
  );
}

/** The columns with a slope or a value, and how much log odds each adds. */
export function termTable({ terms }: Explanation): string {
  return markdownTable(
    terms
      .filter(({ value, slope }) => value !== 0 && slope !== 0)
      .map(({ name, value, slope, prior }) => ({
        column: name,
        value: fixed(value),
        prior: fixed(prior, 2),
        slope: fixed(slope, 2),
        'log odds': signed(value * slope),
      })),
  );
}

/** From the terms to a probability, with what remains at each step. */
export function stepTable({ terms, raise, share, slices, logOdds }: Explanation): string {
  const ratio = terms.reduce((sum, { value, slope }) => sum + value * slope, raise);
  return markdownTable([
    { step: 'measurements: log f1/f0', 'log odds': signed(ratio) },
    ...(raise === 0 ? [] : [{ step: 'of which raised', 'log odds': signed(raise) }]),
    { step: `share ${fixed(share)}`, 'log odds': signed(Math.log(share / (1 - share))) },
    ...slices.map((slice) => ({ step: `slice ${slice.slice}`, 'log odds': signed(slice.logOdds) })),
    { step: `P = ${fixed(sigmoid(logOdds))}`, 'log odds': signed(logOdds) },
  ]);
}

/** `background` for 0. */
export const nameOf = (value: number, taxonomy: Taxonomy): string => taxonomy.classes[value - 1]?.name ?? 'background';

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
