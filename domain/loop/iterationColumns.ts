import type { IterationRow } from '../messages.js';

/**
 * An iteration as a row of a table, keyed by the headings that people read. What matters most comes first: the Temporal
 * UI gives a table half of the window.
 */
export function iterationColumns(row: IterationRow) {
  return {
    iteration: row.iteration,
    status: row.status,
    mIoU: row.miou?.toFixed(4) ?? null,
    benchmark: row.benchmarkMiou?.toFixed(4) ?? null,
    gate: row.gate,
    drawn: row.drawn,
    'set aside': row.flagged,
    picked: row.sampled,
    'trained on': row.trainingSet,
    min: (row.seconds / 60).toFixed(1),
    'left out': row.leftOut,
  } as const;
}
