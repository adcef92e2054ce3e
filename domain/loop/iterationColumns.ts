import type { IterationRow } from '../messages.js';

/** An iteration as a row of a table, keyed by the headings that people read. */
export function iterationColumns(row: IterationRow) {
  return {
    iteration: row.iteration,
    status: row.status,
    drawn: row.drawn,
    'set aside': row.flagged,
    picked: row.sampled,
    'trained on': row.trainingSet,
    'left out': row.leftOut,
    mIoU: row.miou?.toFixed(4) ?? null,
    benchmark: row.benchmarkMiou?.toFixed(4) ?? null,
    gate: row.gate,
    min: (row.seconds / 60).toFixed(1),
  } as const;
}
