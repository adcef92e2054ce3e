/** The Temporal UI leaves no gap between the columns of a table, so each cell brings its own. */
const GAP = '\u00a0\u00a0';

/** A row of a Markdown table for the Temporal UI. */
export function tableLine(cells: readonly (string | number | null)[]): string {
  return `|${cells.map((cell) => `${GAP}${cell ?? '–'}${GAP}`).join('|')}|`;
}
