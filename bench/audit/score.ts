/** How many of the most suspect labels are wrong. */
export interface AuditScore {
  /** Labels that were looked at: as many as asked for, or all suspect ones. */
  looked: number;
  wrong: number;
  /** Share of wrong ones among them; null if none is suspect. */
  precision: number | null;
  /** Share of all wrong labels that are among the suspect ones. */
  found: number | null;
}

/**
 * @param suspects file names, the most suspect first
 * @param isWrong whether a label is wrong, by file name
 */
export function scoreAudit(
  suspects: readonly string[],
  isWrong: (name: string) => boolean,
  wrongLabels: number,
  at: number,
): AuditScore {
  const top = suspects.slice(0, at);
  const wrong = top.filter(isWrong).length;
  const found = suspects.filter(isWrong).length;
  return {
    looked: top.length,
    wrong,
    precision: top.length === 0 ? null : wrong / top.length,
    found: wrongLabels === 0 ? null : found / wrongLabels,
  };
}
