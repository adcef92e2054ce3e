import type { FindingRow, ScanImageRow } from '../tables.js';

interface Probability {
  /** Column of the exported CSV tables. */
  column: string;
  /** Heading of tables for people. */
  label: string;
  sentence: string;
}

/** The probabilities that a scan records, by their names in code and tables. All are 0..1. */
export const PROBABILITIES = {
  pWrong: {
    column: 'p_wrong',
    label: 'p wrong',
    sentence: 'For a finding: the label is wrong there, whatever explains it.',
  },
  pModel: {
    column: 'p_model',
    label: 'p model',
    sentence: "For a finding: the same before reviewers' answers moved it.",
  },
  pMislabelled: {
    column: 'p_mislabelled',
    label: 'p mislabelled',
    sentence: 'For an image: its label is wrong somewhere.',
  },
} as const satisfies Partial<Record<keyof FindingRow | keyof ScanImageRow, Probability>>;
